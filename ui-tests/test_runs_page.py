"""All runs as a table in the main area: filters, a selection, and changes of several runs."""

from __future__ import annotations

from accessibility import find_violations
from lab import Lab
from playwright.sync_api import Page, expect
from screenshots import shot
from sidebar import RUNS, STARTS, register_first, show_flows, wait_until_saved
from themes import show_themes

FLOW = """
from prefect import flow

@flow
def odd(number: int = 1):
    if number % 2 == 0:
        raise ValueError(f"{number} is even")
"""
START_RUNS = """
import satflow_ext
runs = [satflow_ext.run("odd/odd", number=number) for number in range(4)]
for run in runs:
    run.wait()
"""


def test_failed_runs_are_found_and_deleted_together(page: Page, lab: Lab) -> None:
    register_first(page, lab, "odd.ipynb", FLOW)
    lab.open_notebook(page, lab.write("start.ipynb", START_RUNS))
    lab.run_all(page)
    page.evaluate("() => window.jupyterapp.commands.execute('satflow:show-runs')")
    page.get_by_test_id("satflow-open-runs-page").click()
    table = page.get_by_test_id("satflow-runs-page")
    rows = table.get_by_test_id("satflow-runs-page-row")
    expect(rows.filter(has_text="odd")).to_have_count(4, timeout=RUNS)
    assert find_violations(page, "[data-testid=satflow-runs-page]") == []
    show_themes(page, "runs-page")
    table.get_by_test_id("satflow-mode-agenda").click()
    expect(table.get_by_test_id("satflow-agenda-run").filter(has_text="odd")).to_have_count(4, timeout=STARTS)
    assert find_violations(page, "[data-testid=satflow-runs-page]") == []
    show_themes(page, "runs-agenda")
    table.get_by_test_id("satflow-mode-table").click()

    table.get_by_label("Filter by deployment").select_option("odd")
    table.get_by_label("Filter by state").select_option("FAILED")
    table.get_by_label("Filter by time").select_option("hour")
    expect(rows).to_have_count(2, timeout=STARTS)
    table.get_by_test_id("satflow-select-all").check()
    expect(table.get_by_test_id("satflow-selected-count")).to_have_text("2 runs selected")
    table.get_by_test_id("satflow-cancel-selected").click()
    page.get_by_role("button", name="Cancel runs").click()
    expect(page.get_by_text("2 were not changed. The first: Run")).to_be_visible(timeout=STARTS)
    shot(page, "runs-page-refused")
    page.evaluate("() => window.jupyterapp.commands.execute('apputils:dismiss-notification')")

    table.get_by_test_id("satflow-delete-selected").click()
    shot(page, "runs-page-delete")
    page.get_by_role("button", name="Delete runs").click()
    expect(page.get_by_text("2 runs deleted.")).to_be_visible(timeout=STARTS)
    expect(table.get_by_test_id("satflow-runs-page-empty")).to_be_visible(timeout=STARTS)
    table.get_by_text("Show all runs").click()
    expect(rows.filter(has_text="odd")).to_have_count(2, timeout=STARTS)


def test_the_page_is_restored_with_its_filter(page: Page, lab: Lab) -> None:
    show_flows(page)
    page.evaluate("() => window.jupyterapp.commands.execute('satflow:open-runs')")
    table = page.get_by_test_id("satflow-runs-page")
    table.get_by_test_id("satflow-filter-tag").fill("nightly")
    table.get_by_label("Filter by time").select_option("week")
    table.get_by_test_id("satflow-mode-agenda").click()
    wait_until_saved(page, '"current":"satflow-runs:runs"', "nightly", '"period":"week"', '"mode":"agenda"')
    page.reload()
    expect(table.get_by_test_id("satflow-filter-tag")).to_have_value("nightly", timeout=STARTS)
    expect(table.get_by_label("Filter by time")).to_have_value("week")
    expect(table.get_by_test_id("satflow-mode-agenda")).to_have_attribute("aria-pressed", "true")
