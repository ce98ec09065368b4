"""The sidebar and the register form, as far as most tests use them."""

from __future__ import annotations

from lab import Lab
from playwright.sync_api import Locator, Page, expect

STARTS = 240_000
"""Timeout in milliseconds; the local stack may have to start first."""
RUNS = 480_000
SAVED = """async words => {
  for (;;) {
    const all = JSON.stringify(await window.jupyterapp.serviceManager.workspaces.list());
    if (words.every(word => all.includes(word))) { return all; }
    await new Promise(done => setTimeout(done, 100));
  }
}"""


def show_flows(page: Page) -> None:
    page.evaluate("() => window.jupyterapp.commands.execute('satflow:show-flows')")
    expect(page.get_by_test_id("satflow-stack-starting")).to_have_count(0, timeout=STARTS)


def open_form(page: Page) -> Locator:
    page.get_by_test_id("satflow-flow").first.get_by_test_id("satflow-register").click()
    form = page.get_by_test_id("satflow-register-form")
    expect(form.get_by_test_id("satflow-executor-threads")).to_be_visible(timeout=STARTS)
    return form


def register_first(page: Page, lab: Lab, name: str, cell: str) -> tuple[Locator, Locator]:
    """Register the flow of a new notebook, and return the form and its note about the registration."""
    lab.open_notebook(page, lab.write(name, cell))
    lab.run_all(page)
    show_flows(page)
    form = open_form(page)
    form.get_by_test_id("satflow-submit").click()
    registered = form.get_by_test_id("satflow-registered")
    expect(registered).to_have_attribute("data-outcome", "created", timeout=STARTS)
    return form, registered


def wait_until_saved(page: Page, *words: str) -> str:
    """Return the saved state of JupyterLab's tabs as soon as it contains all words: it is saved a while after a change."""
    return str(page.evaluate(SAVED, words))
