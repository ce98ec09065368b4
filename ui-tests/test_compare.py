"""Two runs of a deployment side by side."""

from __future__ import annotations

from accessibility import find_violations
from lab import Lab
from playwright.sync_api import Page, expect
from screenshots import shot
from sidebar import RUNS, STARTS, register_first
from themes import show_themes

FLOW = """
from prefect import flow, task

@task
def tile(number, fails):
    if fails:
        raise ValueError("broken on purpose")
    return number

@flow(log_prints=True)
def compared(tiles: int = 2, region: str = "north", fails: bool = False):
    print("tiles:", tiles)
    return [tile(number, fails) for number in range(tiles)]
"""

START_BOTH = """async () => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const code = `
import satflow_ext
for chosen in ({}, {"tiles": 3, "fails": True}):
    satflow_ext.run("compared", **chosen).wait()
`;
  const reply = await kernel.requestExecute({ code }).done;
  return JSON.stringify(reply.content);
}"""


def test_the_parameters_tasks_and_logs_of_two_runs(page: Page, lab: Lab) -> None:
    register_first(page, lab, "compared.ipynb", FLOW)
    lab.open_notebook(page, "compared.ipynb")
    assert '"status":"ok"' in page.evaluate(START_BOTH)
    page.evaluate("() => window.jupyterapp.commands.execute('satflow:show-runs')")
    rows = page.get_by_test_id("satflow-run-row").filter(has_text="compared")
    expect(rows).to_have_count(2, timeout=RUNS)
    rows.first.get_by_test_id("satflow-open-run").click()
    run = page.get_by_test_id("satflow-run").last
    expect(run.get_by_test_id("satflow-state").first).to_contain_text("Failed", timeout=STARTS)
    run.get_by_test_id("satflow-compare-run").click()
    shot(page, "compare-pick")
    page.get_by_role("button", name="Compare", exact=True).click()

    comparison = page.get_by_test_id("satflow-run-comparison")
    row = comparison.locator("tr[data-row=tiles]")
    expect(row).to_contain_text("differs", timeout=STARTS)
    expect(row.locator("td")).to_have_text(["2", "3"])
    expect(comparison.locator("tr[data-row=region]")).not_to_contain_text("differs")
    expect(comparison.locator("tr[data-row=tile]")).to_contain_text("1 failed")
    show_themes(page, "compare")
    comparison.get_by_test_id("satflow-compare-logs").click()
    logs = comparison.get_by_test_id("satflow-compared-log")
    expect(logs.first).to_contain_text("tiles: 2", timeout=STARTS)
    expect(logs.last).to_contain_text("broken on purpose")
    shot(page, "compare-logs")
    assert find_violations(page, ".jp-Satflow-comparisonTab") == []
