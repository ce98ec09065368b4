"""Violations of accessibility rules, found by axe-core."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

AXE = Path(__file__).parent.parent / "node_modules" / "axe-core" / "axe.min.js"

RUN = """async include => {
  const { violations } = await axe.run({ include });
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${help}\\n${html}\\n${failureSummary}`)
  );
}"""


def find_violations(page: Page, *selectors: str) -> list[str]:
    """Return the violations of all rules of axe-core in the elements that match these CSS selectors."""
    page.evaluate(AXE.read_text())
    found: list[str] = page.evaluate(RUN, [[selector] for selector in selectors])
    return found
