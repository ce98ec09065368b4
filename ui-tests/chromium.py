"""Debian's Chromium, as tests and the pictures of the documentation start it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START = Path(__file__).with_name("browser_start.py")


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """Start the browser, and close it at the end."""
    assert shutil.which("chromium"), "chromium is not installed: run scripts/setup"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=START, args=ARGUMENTS)
        yield browser
        browser.close()
