"""A flow that calls another one: its nested run, the artifacts of both, and the filters of the log."""

from __future__ import annotations

import re

from lab import Lab
from playwright.sync_api import Locator, Page, expect
from screenshots import shot
from sidebar import RUNS, STARTS, show_flows
from themes import show_themes

NESTED = """
import logging
import time
from pathlib import Path
from prefect import flow, get_run_logger, task
from prefect.artifacts import (
    create_link_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

REPORT = '''# Tiles of the scene

| band | mean |
|---|---|
| red | **0.31** |

[the archive](https://example.org/scene) <img src="x" onerror="window.pwned = 1"> <script>window.pwned = 1</script>
'''

@task
def measure(band):
    get_run_logger().info("band %s measured", band)
    return band

@flow
def inner(part: int):
    done = create_progress_artifact(10.0, key="progress", description="Tiles that are written")
    while not Path(GO).exists():
        time.sleep(0.1)
    update_progress_artifact(done, 100.0)
    create_markdown_artifact(REPORT, key="report")
    return part

@flow
def outer(scene: str = "north"):
    create_table_artifact([{"band": "red", "mean": 0.31}, {"band": "nir", "mean": 0.52}], key="bands")
    create_link_artifact("https://example.org/scene", link_text="The scene", key="scene")
    for band in ("red", "nir"):
        measure(band)
    return inner(1)
"""


def test_a_nested_run_is_opened_and_leads_back(page: Page, lab: Lab) -> None:
    go = lab.folder / "go"
    lab.open_notebook(page, lab.write("nested.ipynb", f"GO = {str(go)!r}", NESTED))
    lab.run_all(page)
    show_flows(page)
    row = page.get_by_test_id("satflow-flow").filter(has_text="outer")
    row.get_by_test_id("satflow-register").click()
    form = page.get_by_test_id("satflow-register-form")
    form.get_by_test_id("satflow-submit-and-run").click(timeout=STARTS)
    run = page.get_by_test_id("satflow-run").last
    run.get_by_test_id("satflow-tab-artifacts").click(timeout=RUNS)
    progress = run.locator("[data-artifact=progress]")
    expect(progress).to_contain_text("10 %", timeout=RUNS)
    go.touch()
    expect(progress).to_contain_text("100 %", timeout=RUNS)
    expect(run.get_by_test_id("satflow-tab-artifacts")).to_have_text("Artifacts (4)", timeout=RUNS)
    report = run.locator("[data-artifact=report]")
    expect(report.locator("h1")).to_contain_text("Tiles of the scene")
    expect(report.locator("td strong")).to_have_text("0.31")
    expect(run.locator("[data-artifact=scene]").get_by_role("link")).to_have_text("The scene")
    assert report.locator("script, [onerror]").count() == 0
    assert page.evaluate("() => window.pwned") is None
    show_themes(page, "70-artifacts")

    expect(run.get_by_test_id("satflow-state").first).to_contain_text("Completed", timeout=RUNS)
    outer_name = page.evaluate("() => window.jupyterapp.shell.currentWidget.title.label")
    run.get_by_test_id("satflow-tab-details").click()
    expect(run.get_by_test_id("satflow-details")).to_contain_text('scene"north"default', timeout=STARTS)
    filter_log(page, run)
    run.get_by_test_id("satflow-tab-tasks").click()
    shot(page, "71-nested-task")
    run.get_by_test_id("satflow-show-graph").click()
    graph = run.get_by_test_id("satflow-graph")
    expect(graph).to_have_attribute("data-laid-out", "3")
    expect(graph.get_by_test_id("satflow-graph-list").get_by_role("listitem")).to_have_count(3)
    shot(page, "71-nested-graph")
    run.get_by_test_id("satflow-open-nested").click()
    nested = page.get_by_test_id("satflow-run").filter(has=page.get_by_test_id("satflow-parents"))
    expect(nested.get_by_test_id("satflow-parents")).to_contain_text(f"outer / {outer_name}", timeout=STARTS)
    inner_name = (
        nested.get_by_test_id("satflow-parents").locator("[aria-current]").inner_text().removeprefix("inner / ")
    )
    page.wait_for_function(
        "name => window.jupyterapp.shell.currentWidget.title.label === name", arg=inner_name, timeout=STARTS
    )
    nested.get_by_test_id("satflow-tab-details").click()
    expect(nested.get_by_test_id("satflow-origin")).to_have_text(f"run {outer_name} of outer")
    show_themes(page, "72-nested-run")
    nested.get_by_test_id("satflow-parents").get_by_role("button").click()
    page.wait_for_function("name => window.jupyterapp.shell.currentWidget.title.label === name", arg=outer_name)


def filter_log(page: Page, run: Locator) -> None:
    """Search by regular expression, and restrict the log to a logger and to a task."""
    run.get_by_test_id("satflow-tab-log").click()
    expect(run.get_by_test_id("satflow-log-count")).not_to_contain_text("Loading", timeout=STARTS)
    search = run.get_by_test_id("satflow-log-search")
    search.fill(r"band (red|nir) measured$")
    expect(run.get_by_test_id("satflow-log-matches")).to_have_text("0")
    run.get_by_test_id("satflow-log-regexp").click()
    expect(run.get_by_test_id("satflow-log-matches")).to_have_text("1 of 2")
    shot(page, "71-log-search")
    search.fill("(")
    expect(run.get_by_test_id("satflow-log-matches")).to_have_text("Not a valid regular expression")
    shot(page, "71-log-wrong-search")
    search.fill("")
    run.get_by_test_id("satflow-log-logger").select_option("prefect.task_runs")
    run.get_by_test_id("satflow-log-task").select_option("measure")
    expect(run.get_by_test_id("satflow-log-count")).to_have_text("4 lines")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    run.get_by_test_id("satflow-log-copy").click()
    copied = page.evaluate("() => navigator.clipboard.readText()")
    assert re.fullmatch(r"([\d:.]+ INFO measure-\w+  .+\n){4}", copied), copied
    show_themes(page, "71-log-filters")
    run.get_by_test_id("satflow-log-task").select_option("")
    run.get_by_test_id("satflow-log-logger").select_option("")
