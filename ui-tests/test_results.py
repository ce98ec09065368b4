"""The result of a run in its tab, and in the notebook."""

from __future__ import annotations

from lab import Lab
from playwright.sync_api import Page, expect
from sidebar import RUNS, STARTS, open_form, show_flows
from themes import show_themes

BANDS = """
import pandas as pd
from prefect import flow

@flow
def bands(count: int = 300):
    return pd.DataFrame({"scene": [f"scene-{n}" for n in range(count)], "mean": [n / 7 for n in range(count)]})
"""


def test_the_result_of_a_run_is_drawn_and_read_in_the_notebook(page: Page, lab: Lab) -> None:
    lab.open_notebook(page, lab.write("bands.ipynb", BANDS))
    lab.run_all(page)
    show_flows(page)
    open_form(page).get_by_test_id("satflow-submit-and-run").click(timeout=STARTS)
    run = page.get_by_test_id("satflow-run").last
    run.get_by_test_id("satflow-tab-result").click(timeout=RUNS)
    expect(run.get_by_test_id("satflow-result")).to_contain_text("300 rows, 2 columns", timeout=RUNS)
    expect(run.get_by_role("row")).to_have_count(201)
    expect(run.get_by_role("row").nth(8)).to_have_text("scene-71.0")
    show_themes(page, "75-result")
    expect(page.locator(".jp-Notification-Toast-success")).to_have_count(0)  # it would cover the log
    run.get_by_test_id("satflow-insert-result").click()
    cell = page.locator(".jp-Notebook:visible .jp-CodeCell").last
    expect(cell).to_contain_text(".result()")
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-cell')")
    expect(cell.locator("table")).to_contain_text("scene-299", timeout=RUNS)
