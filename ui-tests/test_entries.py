"""The places of JupyterLab where SatFlow's flows and runs are offered besides its own sidebar and tabs."""

from __future__ import annotations

import re
from pathlib import Path

from accessibility import find_violations
from lab import Lab
from playwright.sync_api import Page, expect
from screenshots import shot
from sidebar import RUNS, STARTS, open_form, show_flows
from themes import show_themes

WAITS = """
import time
from pathlib import Path
from prefect import flow, task

@task
def wait_for_gate():
    while not Path({gate!r}).exists():
        time.sleep(0.1)

@flow
def waits():
    wait_for_gate.submit().wait()
"""

SOURCE = "() => window.jupyterapp.shell.currentWidget.content.activeCell.model.sharedModel.source"


def test_a_new_notebook_with_a_flow_from_the_launcher(page: Page, lab: Lab) -> None:
    card = page.locator(".jp-LauncherCard", has_text="Prefect Flow")
    expect(card).to_be_visible(timeout=STARTS)
    shot(page, "entries-launcher")
    card.click()
    expect(page.locator(".jp-Notebook .cm-content")).to_contain_text("@flow", timeout=STARTS)
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.ready")
    lab.run_all(page)
    show_flows(page)
    expect(page.get_by_test_id("satflow-flow")).to_contain_text("hello", timeout=STARTS)
    assert "def hello" in page.evaluate(SOURCE)
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:insert-cell-below')")
    editor = page.locator(".jp-Notebook .jp-Cell.jp-mod-active .cm-content")
    page.get_by_test_id("satflow-flow").get_by_text("hello", exact=True).drag_to(editor)
    expect(editor).to_contain_text("%register_flow hello")


def test_a_flow_of_a_notebook_in_the_file_browser(page: Page, lab: Lab) -> None:
    lab.write("listed.ipynb", WAITS.format(gate="/nowhere"))
    page.evaluate("() => window.jupyterapp.commands.execute('filebrowser:activate')")
    page.evaluate("() => window.jupyterapp.commands.execute('filebrowser:refresh')")
    row = page.locator(".jp-DirListing-item", has_text="listed.ipynb")
    row.click(button="right")
    item = page.locator(".lm-Menu-item", has_text="Register Flow…")
    expect(item).to_be_visible()
    shot(page, "entries-menu")
    item.click()
    warning = page.get_by_text("This notebook has no flow yet. Run the cell that defines one.")
    expect(warning).to_be_visible(timeout=STARTS)
    lab.run_all(page)
    row.click(button="right")
    item.click()
    form = page.get_by_test_id("satflow-register-form")
    expect(form.get_by_test_id("satflow-executor-threads")).to_be_visible(timeout=STARTS)
    expect(form.get_by_label("Name", exact=True)).to_have_value("waits")


def test_active_runs_in_the_status_bar_and_in_the_running_panel(page: Page, lab: Lab, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    lab.open_notebook(page, lab.write("active.ipynb", WAITS.format(gate=str(gate))))
    lab.run_all(page)
    show_flows(page)
    form = open_form(page)
    assert find_violations(page, "#satflow-sidebar", ".jp-Satflow-form") == []
    form.get_by_test_id("satflow-executor-dask-local").click()
    form.get_by_test_id("satflow-submit-and-run").click()
    run = page.get_by_test_id("satflow-run").last
    expect(run.get_by_test_id("satflow-state").first).to_contain_text("Running", timeout=RUNS)
    name = page.evaluate("() => window.jupyterapp.shell.currentWidget.title.label")
    count = page.get_by_test_id("satflow-active-runs")
    expect(count).to_have_text(re.compile("^1 flow run$"), timeout=STARTS)
    assert find_violations(page, ".jp-Satflow-runTab", ".jp-Satflow-statusItem") == []

    page.evaluate("() => window.jupyterapp.commands.execute('running:show-panel')")
    clusters, section = (page.get_by_role("region", name=f"{name} Section") for name in ("Dask Clusters", "Flow Runs"))
    expect(clusters.locator(".jp-RunningSessions-item", has_text="waits:")).to_contain_text("worker", timeout=RUNS)
    show_themes(page, "entries-running")
    item = section.locator(".jp-RunningSessions-item", has_text="waits:")
    item.hover()
    item.locator(".jp-RunningSessions-itemShutdown").click()
    page.get_by_role("button", name="Cancel run").click()
    expect(count).to_be_hidden(timeout=RUNS)
    expect(item).to_have_count(0, timeout=RUNS)
    expect(run.get_by_test_id("satflow-state").first).to_contain_text("Cancel", timeout=RUNS)
    page.evaluate("() => window.jupyterapp.commands.execute('satflow:show-runs')")
    runs = page.get_by_test_id("satflow-run-row")
    expect(runs.first).to_contain_text("Cancel", timeout=RUNS)
    search = page.get_by_label("Search by run name")
    search.fill("no such run")
    expect(page.get_by_test_id("satflow-no-matching-runs")).to_be_visible(timeout=STARTS)
    search.fill(name.upper()[2:])
    expect(runs).to_have_count(1, timeout=STARTS)
    expect(runs).to_contain_text("waits")
    show_themes(page, "entries-search")
    assert find_violations(page, "#satflow-sidebar") == []
