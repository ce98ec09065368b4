"""The main workflow of a user: from a cell to a run on Dask that is watched while it is active."""

from __future__ import annotations

import re

from lab import Lab
from playwright.sync_api import Locator, Page, expect
from screenshots import shot
from sidebar import RUNS, STARTS, open_form, show_flows
from themes import show_themes

FAILS = (
    "from prefect import flow, task",
    "import time",
    """

@task
def divide(number):
    return number / 0
""",
    """@flow
def fails(number: int = 1):
    return divide(number)
""",
)
"""The code of a flow whose task fails in the third cell, which begins with blank lines."""

ACTIVE_CELL = "() => window.jupyterapp.shell.currentWidget.content.activeCellIndex"
ACTIVE_SOURCE = "() => window.jupyterapp.shell.currentWidget.content?.activeCell?.model.sharedModel.getSource() ?? ''"
ACTIVATE = "id => window.jupyterapp.shell.activateById(`satflow-run-${id}`)"

UNPICKLABLE = """
import sqlite3
from prefect import flow

connection = sqlite3.connect(":memory:")

@flow
def reads():
    return connection.execute("select 1").fetchall()
"""

SLEEPS = """
from prefect import flow

@flow
def quick():
    return 1
"""


def lines(page: Page) -> int:
    """Return the number of log lines in the run's tab."""
    return int(page.get_by_test_id("satflow-log").get_attribute("data-count") or 0)


def wait_for_lines(page: Page, more_than: int) -> None:
    page.wait_for_function(
        "least => Number(document.querySelector('[data-testid=satflow-log]')?.dataset.count ?? 0) > least",
        arg=more_than,
        timeout=RUNS,
    )


def test_register_run_and_watch(page: Page, lab: Lab) -> None:
    lab.open_example(page, "tiles.ipynb")
    lab.run_all(page)
    show_flows(page)
    row = page.get_by_test_id("satflow-flow").first
    expect(row).to_contain_text("tiles")
    expect(row.get_by_test_id("satflow-drift")).to_have_text("new")
    shot(page, "1-flows")

    form = open_form(page)
    form.get_by_label("tile_size").fill("32")
    form.get_by_test_id("satflow-executor-dask-local").click()
    form.get_by_test_id("satflow-add-schedule").click()
    form.get_by_test_id("satflow-schedule-kind").select_option("cron")
    form.get_by_test_id("satflow-cron").fill("30 6 * * 1-5")
    form.get_by_test_id("satflow-timezone").select_option("Europe/Berlin")
    expect(form).to_contain_text("Monday through Friday")
    expect(form.get_by_test_id("satflow-next-runs").locator("li")).to_have_count(3, timeout=STARTS)
    shot(page, "2-form")
    form.get_by_test_id("satflow-submit").click()
    expect(form.get_by_test_id("satflow-registered")).to_have_attribute("data-outcome", "created", timeout=STARTS)
    expect(row.get_by_test_id("satflow-drift")).to_contain_text("registered v1")
    deployed = page.locator("[data-deployment=tiles]")
    expect(deployed.get_by_test_id("satflow-next-run")).to_contain_text("06:30, Europe/Berlin")
    shot(page, "3-registered")

    form.get_by_test_id("satflow-run-now").click()
    run = page.get_by_test_id("satflow-run").last
    expect(run.get_by_test_id("satflow-state").first).to_contain_text("Running", timeout=RUNS)
    run.get_by_test_id("satflow-tab-cluster").click()
    expect(run.get_by_test_id("satflow-worker")).to_have_count(2, timeout=RUNS)
    expect(page.get_by_test_id("satflow-clusters")).to_contain_text(re.compile(r"2\s*(/|of)\s*2"), timeout=RUNS)
    page.wait_for_timeout(2500)
    shot(page, "4-cluster")
    run.get_by_test_id("satflow-tab-log").click()
    wait_for_lines(page, 40)
    expect(run.get_by_test_id("satflow-log")).to_contain_text("vegetation-", timeout=RUNS)
    shot(page, "5-log")

    before = lines(page)
    page.reload()
    page.wait_for_function("() => window.jupyterapp && window.jupyterapp.started")
    run = page.get_by_test_id("satflow-run").last
    wait_for_lines(page, before - 1)
    expect(run.get_by_test_id("satflow-state").first).to_contain_text("Completed", timeout=RUNS)
    wait_for_lines(page, 2 * 180)
    assert_every_tile_is_told_once(page)
    run.get_by_test_id("satflow-tab-tasks").click()
    assert_graph_leads_to_a_task_run(page, run)
    assert_timeline_leads_to_the_log(page, run)
    run.get_by_test_id("satflow-tab-artifacts").click()
    expect(run.locator("img")).to_be_visible()
    shot(page, "7-artifacts")
    run.get_by_test_id("satflow-tab-details").click()
    expect(run.get_by_test_id("satflow-states")).to_contain_text("Completed")
    shot(page, "7-details")
    lab.put_beside_notebook(page)
    shot(page, "7-beside-notebook")


def assert_graph_leads_to_a_task_run(page: Page, run: Locator) -> None:
    """Follow the dependencies by keyboard, open a mapped task and one of its runs, and group them again."""
    run.get_by_test_id("satflow-show-graph").click()
    graph = run.get_by_test_id("satflow-graph")
    expect(graph).to_have_attribute("data-laid-out", re.compile(r"\d+"))
    closed = int(graph.get_attribute("data-nodes") or 0)
    expect(graph.get_by_test_id("satflow-graph-list")).to_contain_text(
        "vegetation (192), 192 Completed, followed by mosaic-"
    )
    show_themes(page, "6-graph")
    box = graph.get_by_test_id("satflow-graph-box")
    tip = graph.get_by_test_id("satflow-graph-tip")
    box.press("Home")
    expect(tip).to_contain_text("vegetation (192)")
    box.press("ArrowRight")
    expect(tip).to_contain_text("depends on vegetation")
    box.press("ArrowLeft")
    box.press("Enter")
    expect(graph).to_have_attribute("data-nodes", str(closed + 100))
    assert len(page.workers) > 0, "it is laid out in a web worker"
    expect(graph).to_have_attribute("data-laid-out", str(closed + 100))
    box.press("Home")
    expect(tip.locator("strong")).to_contain_text("vegetation-")
    box.press("Enter")
    expect(run.get_by_test_id("satflow-selected-task")).to_contain_text("vegetation-")
    expect(run.get_by_test_id("satflow-task-card")).to_contain_text("Running")
    show_themes(page, "6-graph-opened")
    graph.get_by_test_id("satflow-graph-close").click()
    expect(graph).to_have_attribute("data-nodes", str(closed))
    run.get_by_test_id("satflow-show-timeline").click()


def assert_timeline_leads_to_the_log(page: Page, run: Locator) -> None:
    """Open a mapped task and one of its runs by keyboard, show the runs by Dask worker, and show the log of the mapped task."""
    mapped = run.locator("[data-testid=satflow-task][data-task=vegetation]")
    expect(mapped).to_contain_text("192 Completed", timeout=RUNS)
    shot(page, "6-tasks")
    timeline = run.get_by_test_id("satflow-timeline")
    closed = int(timeline.get_attribute("data-rows") or 0)
    box = timeline.get_by_test_id("satflow-timeline-box")
    tip = timeline.get_by_test_id("satflow-timeline-tip")
    box.press("Home")
    while "vegetation" not in tip.inner_text():
        box.press("ArrowDown")
    box.press("ArrowRight")
    expect(timeline).to_have_attribute("data-rows", str(closed + 192))
    box.press("ArrowDown")
    box.press("Enter")
    expect(run.get_by_test_id("satflow-task-card")).to_contain_text("Running")
    shot(page, "6-task-run")
    timeline.get_by_test_id("satflow-timeline-rows").select_option("worker")
    expect(timeline).not_to_have_attribute("data-rows", str(closed + 192))
    shot(page, "6-workers")
    mapped.get_by_test_id("satflow-task-log").first.click()
    expect(run.get_by_test_id("satflow-log-task")).to_have_value("vegetation")
    expect(run.get_by_test_id("satflow-log")).to_contain_text("vegetation-")
    run.get_by_test_id("satflow-log-task").select_option("")


def assert_every_tile_is_told_once(page: Page) -> None:
    """Check by searching the whole log that each tile of 12 rows of 16 logs one line, and that no line occurs twice."""
    search = page.get_by_test_id("satflow-log-search")
    search.fill("tile at row")
    expect(page.get_by_test_id("satflow-log-matches")).to_contain_text("192")
    search.fill("picture written to")
    expect(page.get_by_test_id("satflow-log-matches")).to_contain_text("1")
    search.fill("")


def test_failed_run_leads_to_its_cell(page: Page, lab: Lab) -> None:
    lab.open_notebook(page, lab.write("fails.ipynb", *FAILS))
    lab.run_all(page)
    show_flows(page)
    form = open_form(page)
    form.get_by_test_id("satflow-submit-and-run").click()
    run = page.get_by_test_id("satflow-run").last
    expect(run.get_by_test_id("satflow-state").first).to_contain_text("Failed", timeout=RUNS)
    card = run.get_by_test_id("satflow-failure")
    expect(card).to_contain_text("ZeroDivisionError: division by zero", timeout=STARTS)
    expect(card.get_by_test_id("satflow-failed-task")).to_contain_text("divide", timeout=STARTS)
    expect(card.get_by_test_id("satflow-failed-task")).to_contain_text("number = 1")
    expect(card.get_by_test_id("satflow-code").locator(".jp-mod-marked")).to_contain_text("return number / 0")
    expect(card.get_by_test_id("satflow-library-frames").first).to_contain_text("prefect")
    link = card.get_by_test_id("satflow-open-cell").first
    expect(link).to_have_text("cell [3], line 5")
    show_themes(page, "8-failure")

    card.get_by_test_id("satflow-debug-run").click()
    page.wait_for_function(f"() => ({ACTIVE_SOURCE})().includes('debug.task.fn')", timeout=STARTS)
    assert page.evaluate(ACTIVE_CELL) == 3, "below the cell that failed"
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-cell')")
    output = page.locator(".jp-OutputArea-output", has_text="ZeroDivisionError: division by zero")
    expect(output).to_contain_text("return number / 0", timeout=STARTS)
    shot(page, "8-failure-debugged")
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:delete-cell')")
    page.evaluate(ACTIVATE, run.get_attribute("data-run"))

    link.click()
    expect(page.locator(".jp-Satflow-markedLine")).to_have_text("    return number / 0")
    assert page.evaluate(ACTIVE_CELL) == 2
    shot(page, "8-failure-cell")

    page.keyboard.press("End")
    page.keyboard.type("  # edited")
    expect(page.locator(".jp-Satflow-markedLine")).to_have_count(0)
    page.evaluate(ACTIVATE, run.get_attribute("data-run"))
    expect(card.get_by_test_id("satflow-cell-outdated")).to_contain_text("The cell has changed")
    expect(card.get_by_test_id("satflow-code").locator(".jp-mod-marked")).to_have_text(re.compile("return number / 0$"))
    show_themes(page, "8-failure-changed")
    card.get_by_test_id("satflow-open-definition").click()
    expect(page.locator(".jp-Satflow-markedLine")).to_have_text("def divide(number):")
    assert page.evaluate(ACTIVE_CELL) == 2

    page.keyboard.press("Control+z")
    page.evaluate(ACTIVATE, run.get_attribute("data-run"))
    expect(link).to_have_text("cell [3], line 5")


def test_unpicklable_flow_names_the_variable(page: Page, lab: Lab) -> None:
    lab.open_notebook(page, lab.write("unpicklable.ipynb", UNPICKLABLE))
    lab.run_all(page)
    show_flows(page)
    form = open_form(page)
    finding = form.get_by_test_id("satflow-finding")
    expect(finding).to_contain_text("reads -> connection a database connection (sqlite3.Connection)", timeout=STARTS)
    finding.scroll_into_view_if_needed()
    shot(page, "9-what-travels")
    form.get_by_test_id("satflow-submit").click()
    error = form.get_by_role("alert")
    expect(error).to_contain_text("connection (sqlite3.Connection)", timeout=STARTS)
    expect(page.get_by_test_id("satflow-registered")).to_have_count(0)
    shot(page, "9-unpicklable")


def test_busy_kernel_is_said_and_not_disturbed(page: Page, lab: Lab) -> None:
    lab.open_notebook(page, lab.write("busy.ipynb", SLEEPS, "import time; time.sleep(40)"))
    lab.start_running(page)
    page.wait_for_function(
        "() => window.jupyterapp.shell.currentWidget.content.widgets[0].model.executionCount === 1", timeout=STARTS
    )
    show_flows(page)
    expect(page.get_by_test_id("satflow-kernel-busy")).to_be_visible(timeout=STARTS)
    shot(page, "10-busy")


def test_wrong_cron_line_stands_at_its_field(page: Page, lab: Lab) -> None:
    lab.open_notebook(page, lab.write("cron.ipynb", SLEEPS))
    lab.run_all(page)
    show_flows(page)
    form = open_form(page)
    form.get_by_test_id("satflow-add-schedule").click()
    form.get_by_test_id("satflow-schedule-kind").select_option("cron")
    form.get_by_test_id("satflow-cron").fill("* * * * * *")
    form.get_by_test_id("satflow-submit").click()
    expect(form.locator("[id$=-schedules-0-error]")).to_contain_text("A cron expression has five fields")
    shot(page, "11-cron")


def test_dark(page: Page, lab: Lab) -> None:
    lab.open_notebook(page, lab.write("dark.ipynb", SLEEPS))
    lab.run_all(page)
    page.evaluate("() => window.jupyterapp.commands.execute('apputils:change-theme', { theme: 'JupyterLab Dark' })")
    show_flows(page)
    open_form(page)
    page.wait_for_timeout(1000)
    shot(page, "12-dark")
    page.evaluate("() => window.jupyterapp.commands.execute('apputils:change-theme', { theme: 'JupyterLab Light' })")


def test_no_notebook_has_an_action(page: Page, lab: Lab) -> None:
    show_flows(page)
    empty = page.get_by_test_id("satflow-no-notebook")
    expect(empty).to_be_visible()
    expect(empty.get_by_role("button")).to_have_count(1)
    shot(page, "13-no-notebook")
