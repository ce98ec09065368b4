"""Deployments that belong to the flows of a notebook, and messages of the sidebar for notebooks without flows."""

from __future__ import annotations

import re

from lab import Lab
from playwright.sync_api import Page, expect
from screenshots import shot
from sidebar import RUNS, STARTS, register_first, show_flows
from themes import show_themes

SHARED = """
from prefect import flow

@flow
def shared():
    return {number}
"""

DUPLICATES = """() => {
  const ids = [...document.querySelectorAll('.jp-Satflow-form [id]')].map(one => one.id);
  return { count: ids.length, twice: ids.filter((id, place) => ids.indexOf(id) !== place) };
}"""
UNLABELED = """() => [...document.querySelectorAll('.jp-Satflow-form :is(input, select, textarea)')]
  .filter(one => one.type !== 'hidden' && one.labels.length === 0 && !one.getAttribute('aria-label'))
  .map(one => one.id || one.outerHTML)"""

SAVE_AND_CLOSE = """async () => {
  const notebook = window.jupyterapp.shell.currentWidget;
  await notebook.context.save();
  notebook.close();
}"""


def test_a_flow_stands_for_what_its_own_notebook_registered(page: Page, lab: Lab) -> None:
    register_first(page, lab, "first.ipynb", SHARED.format(number=1))
    lab.open_notebook(page, lab.write("second.ipynb", SHARED.format(number=2)))
    lab.run_all(page)
    row = page.get_by_test_id("satflow-flow").first
    drift = row.get_by_test_id("satflow-drift")
    expect(drift).to_have_text("new")
    row.get_by_test_id("satflow-register").click()
    form = page.get_by_test_id("satflow-register-form").last
    expect(form.get_by_test_id("satflow-executor-threads")).to_be_visible(timeout=STARTS)
    name = form.get_by_label("Name", exact=True)
    expect(name).to_have_value("shared")
    expect(name).to_have_accessible_description(re.compile("registered from .*first.ipynb"))
    found = page.evaluate(DUPLICATES)
    assert found["count"] > 20, "two forms are open"
    assert found["twice"] == []
    assert page.evaluate(UNLABELED) == []

    name.press("Enter")
    alert = form.get_by_role("alert")
    expect(alert).to_contain_text("first.ipynb", timeout=STARTS)
    expect(form.get_by_test_id("satflow-overwrite")).to_be_visible()
    show_themes(page, "50-question")
    expect(page.locator("[data-deployment=shared]")).to_contain_text("v1")

    name.fill("mine")
    expect(alert).to_have_count(0)
    name.press("Enter")
    expect(form.get_by_test_id("satflow-registered")).to_have_attribute("data-outcome", "created", timeout=STARTS)
    expect(drift).to_have_text("mine: registered v1", timeout=STARTS)

    row.get_by_test_id("satflow-run-flow").click()
    run = page.get_by_test_id("satflow-run").last
    expect(run).to_be_visible(timeout=STARTS)
    expect(run.get_by_role("heading").first).to_contain_text("mine")
    expect(run.get_by_test_id("satflow-state").first).to_contain_text("Completed", timeout=RUNS)
    shot(page, "51-run-of-its-own")

    runs = page.get_by_test_id("satflow-run-row")
    state = page.get_by_label("Filter by state")
    state.select_option("FAILED")
    # Other tests of this stack have runs that failed.
    expect(runs.filter(has_text=re.compile(r"\bmine\b"))).to_have_count(0, timeout=STARTS)
    state.select_option("")
    expect(runs.first).to_contain_text("mine", timeout=STARTS)
    expect(page.get_by_test_id("satflow-section-runs").get_by_role("alert")).to_have_count(0)


def test_a_closed_notebook_a_restarted_kernel_and_a_bare_one_have_their_own_words(page: Page, lab: Lab) -> None:
    show_flows(page)
    lab.open_notebook(page, lab.write("words.ipynb", SHARED.format(number=3)))
    expect(page.get_by_test_id("satflow-cells-not-run")).to_contain_text("has not run", timeout=STARTS)
    shot(page, "52-bare")
    page.get_by_test_id("satflow-cells-not-run").get_by_role("button", name="Run all cells").click()
    expect(page.get_by_test_id("satflow-flow")).to_be_visible(timeout=STARTS)
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    expect(page.get_by_test_id("satflow-kernel-restarted")).to_contain_text("was restarted", timeout=STARTS)
    shot(page, "53-restarted")
    page.evaluate(SAVE_AND_CLOSE)
    closed = page.get_by_test_id("satflow-notebook-closed")
    expect(closed).to_contain_text("words.ipynb is closed", timeout=STARTS)
    shot(page, "54-closed")
    closed.get_by_role("button").click()
    expect(page.locator(".jp-Notebook")).to_be_visible(timeout=STARTS)


def test_the_banner_fits_the_sidebar(page: Page, lab: Lab) -> None:
    """Check a message with a long path, which has no spaces to break at."""
    page.route(
        "**/satflow/stack*",
        lambda route: route.fulfill(
            json={
                "kind": "local",
                "state": "failed",
                "step": f"The Prefect server did not start; its log is /home/me/{'x' * 200}/prefect.log.",
                "prefect_api": None,
                "store": None,
                "stays": False,
            }
        ),
    )
    page.evaluate("() => window.jupyterapp.commands.execute('satflow:show-flows')")
    retry = page.get_by_role("button", name="Retry")
    expect(retry).to_be_visible(timeout=STARTS)
    sidebar, button = page.locator("#satflow-sidebar").bounding_box(), retry.bounding_box()
    assert sidebar is not None
    assert button is not None
    assert button["x"] + button["width"] <= sidebar["x"] + sidebar["width"]
    show_themes(page, "55-banner")
    page.unroute("**/satflow/stack*")
    expect(retry).to_have_count(0, timeout=STARTS)  # the page checks the stack again by itself
