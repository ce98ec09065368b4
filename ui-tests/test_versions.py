"""Differences between two versions, and rollback."""

from __future__ import annotations

from lab import Lab
from playwright.sync_api import Page, expect
from screenshots import shot
from sidebar import STARTS, register_first

GREET = """
from prefect import flow

@flow(log_prints=True)
def greet(name: str = "world"):
    print("hello", name)
"""

REWRITE = """source => {
  const notebook = [...window.jupyterapp.shell.widgets('main')].find(one => one.title.label === 'greet.ipynb');
  window.jupyterapp.shell.activateById(notebook.id);
  notebook.content.widgets[0].model.sharedModel.setSource(source);
}"""


def test_versions_are_compared_and_rolled_back(page: Page, lab: Lab) -> None:
    form, registered = register_first(page, lab, "greet.ipynb", GREET)
    page.evaluate(REWRITE, GREET.replace("hello", "good night"))
    lab.run_all(page)
    flow = page.get_by_test_id("satflow-flow").first
    expect(flow.get_by_test_id("satflow-drift")).to_contain_text("changed since v1", timeout=STARTS)
    flow.get_by_test_id("satflow-register").click()
    form.get_by_test_id("satflow-submit").click()
    expect(registered).to_have_attribute("data-outcome", "changed", timeout=STARTS)

    page.get_by_role("button", name="Versions of greet").click()
    versions = page.get_by_test_id("satflow-versions")
    expect(versions.get_by_test_id("satflow-version")).to_have_count(2, timeout=STARTS)
    changes = page.get_by_test_id("satflow-version-diff")
    expect(changes.locator(".jp-mod-removed")).to_contain_text('print("hello", name)', timeout=STARTS)
    expect(changes.locator(".jp-mod-added")).to_contain_text('print("good night", name)')
    shot(page, "15-versions")
    page.get_by_role("button", name="Roll back to version 1").click()
    page.get_by_role("dialog").get_by_role("button", name="Roll back").click()
    expect(versions.get_by_test_id("satflow-version").first).to_contain_text("version 1 again", timeout=STARTS)
    expect(page.locator("[data-deployment=greet]")).to_contain_text("v3")
    shot(page, "16-rolled-back")
