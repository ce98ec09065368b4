"""Screenshots, saved to `ui-tests/output/`."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

OUTPUT = Path(__file__).parent / "output"


def shot(page: Page, name: str) -> None:
    """Save a screenshot."""
    OUTPUT.mkdir(exist_ok=True)
    safe = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in name)
    page.screenshot(path=OUTPUT / f"{safe}.png")
