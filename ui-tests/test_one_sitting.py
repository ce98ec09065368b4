"""A month is backfilled, its failed days are repaired in the notebook, and their results are plotted, in one JupyterLab."""

from __future__ import annotations

import re

from lab import Lab
from playwright.sync_api import Locator, Page, expect
from screenshots import shot
from sidebar import RUNS, STARTS, open_form, show_flows
from themes import show_themes
from webhook import BLOCK, receiver

FLOW = """
import datetime as dt
from prefect import flow, task

@task
def read_sales(day):
    closed = day.day in (9, 17, 23)
    return [] if closed else [100 + day.day * hour % 37 for hour in range(8, 18)]

@task
def average(day, sales):
    return sum(sales) / len(sales)

@flow
def daily_sales(day: dt.date | None = None):
    day = day or dt.date.today()
    return average(day, read_sales(day))
""".strip()
FAILING_LINE = "    return sum(sales) / len(sales)"
FAILED_DAYS = ["2025-11-09", "2025-11-17", "2025-11-23"]
REPAIR = " if sales else 0.0"
PLOT = """results.plot.bar(x="day", y="result", figsize=(9, 3), ylabel="sales per hour", legend=False);"""


def test_a_month_is_backfilled_debugged_repaired_and_plotted(page: Page, lab: Lab) -> None:
    with receiver() as (url, received):
        lab.open_notebook(page, lab.write("sales.ipynb", BLOCK.format(url=url), FLOW))
        lab.run_all(page)
        show_flows(page)
        register(page)
        group = backfill(page)
        run = open_failed_day(page, group)
        wait_for_message(page, received, "ZeroDivisionError")
        debug_and_repair(page, lab, run)
        register_again(page)
        plot_repaired_month(page, lab, group)


def register(page: Page) -> None:
    """Register the flow with two schedules and a notification."""
    form = open_form(page)
    for number, cron in enumerate(("0 6 * * *", "0 18 * * 5")):
        form.get_by_test_id("satflow-add-schedule").click()
        schedule = form.get_by_test_id("satflow-schedule").nth(number)
        schedule.get_by_test_id("satflow-schedule-kind").select_option("cron")
        schedule.get_by_test_id("satflow-cron").fill(cron)
        expect(schedule.get_by_test_id("satflow-next-runs").locator("li")).to_have_count(3, timeout=STARTS)
    form.get_by_test_id("satflow-add-notify").click()
    expect(form.get_by_test_id("satflow-notify-block")).to_have_value("custom-webhook/team")
    shot(page, "one-1-form")
    form.get_by_test_id("satflow-submit").click()
    expect(form.get_by_test_id("satflow-registered")).to_have_attribute("data-outcome", "created", timeout=STARTS)
    shot(page, "one-2-registered")


def backfill(page: Page) -> Locator:
    """Run the flow for each day of a month, and return the row of the group."""
    page.evaluate("() => window.jupyterapp.commands.execute('satflow:show-runs')")
    page.locator("[data-deployment=daily-sales]").get_by_test_id("satflow-run-many").click()
    form = page.get_by_test_id("satflow-run-many-form")
    form.get_by_test_id("satflow-over-first-day").fill("2025-11-01")
    form.get_by_test_id("satflow-over-last-day").fill("2025-11-30")
    form.get_by_test_id("satflow-group-name").fill("november")
    expect(form.get_by_test_id("satflow-plan")).to_contain_text("30 runs", timeout=STARTS)
    shot(page, "one-3-run-many")
    page.get_by_role("button", name="Start runs").click()
    group = page.locator("[data-group=november]")
    expect(group.get_by_test_id("satflow-state").first).to_have_attribute("data-state", "FAILED", timeout=RUNS)
    return group


def open_failed_day(page: Page, group: Locator) -> Locator:
    """Find the failed days, open the first one, and return its tab."""
    expect(group.get_by_test_id("satflow-group-counts")).to_contain_text("27 of 30 completed")
    group.get_by_test_id("satflow-open-group").click()
    failed = group.get_by_test_id("satflow-point").and_(page.locator("[data-state=FAILED]"))
    expect(failed.get_by_test_id("satflow-open-point")).to_have_text(FAILED_DAYS, timeout=STARTS)
    show_themes(page, "one-4-group")
    failed.first.get_by_test_id("satflow-open-point").click()
    run = page.get_by_test_id("satflow-run").last
    card = run.get_by_test_id("satflow-failure")
    expect(card).to_contain_text("ZeroDivisionError: division by zero", timeout=STARTS)
    expect(card.get_by_test_id("satflow-failed-task")).to_contain_text("sales = empty list", timeout=STARTS)
    expect(card.get_by_test_id("satflow-open-cell").first).to_have_text(re.compile(r"cell \[\d+\], line 11"))
    show_themes(page, "one-5-failure")
    return run


def wait_for_message(page: Page, received: list[str], text: str) -> None:
    """Wait for a notification with this text."""
    while not any(text in each for each in received):
        page.wait_for_timeout(500)


def debug_and_repair(page: Page, lab: Lab, run: Locator) -> None:
    """Repeat the failed call in the notebook with its inputs, and repair the line that fails."""
    run.get_by_test_id("satflow-debug-run").click()
    cell = page.locator(".jp-Notebook-cell.jp-mod-active")
    expect(cell).to_contain_text("debug.task.fn(**debug.inputs)", timeout=STARTS)
    show_themes(page, "one-6-new-cell")
    run_cell(page, lab)
    expect(cell.locator(".jp-OutputArea-output")).to_contain_text("ZeroDivisionError")
    shot(page, "one-7-repeated")

    page.evaluate("id => window.jupyterapp.shell.activateById(`satflow-run-${id}`)", run.get_attribute("data-run"))
    run.get_by_test_id("satflow-open-cell").first.click()
    expect(page.locator(".jp-Satflow-markedLine")).to_have_text(FAILING_LINE)
    shot(page, "one-8-failing-line")
    page.keyboard.press("End")
    page.keyboard.type(REPAIR)
    run_cell(page, lab)
    insert_cell(page, lab, "average.fn(**debug.inputs)")
    expect(cell.locator(".jp-OutputArea-output")).to_have_text("0.0")
    shot(page, "one-9-repaired")


def register_again(page: Page) -> None:
    """Register the repaired flow with the same choices."""
    show_flows(page)
    row = page.get_by_test_id("satflow-flow").first
    expect(row.get_by_test_id("satflow-drift")).to_contain_text("changed", timeout=STARTS)
    row.get_by_test_id("satflow-register").click()
    form = page.get_by_test_id("satflow-register-form")
    expect(form.get_by_test_id("satflow-schedule")).to_have_count(2, timeout=STARTS)
    shot(page, "one-10-register-again")
    form.get_by_test_id("satflow-submit").click()
    expect(row.get_by_test_id("satflow-drift")).to_contain_text("registered v2", timeout=STARTS)
    shot(page, "one-11-registered-again")


def plot_repaired_month(page: Page, lab: Lab, group: Locator) -> None:
    """Run the failed days again, and plot the results of all days."""
    page.evaluate("() => window.jupyterapp.commands.execute('satflow:show-runs')")
    group.get_by_test_id("satflow-retry-group").click()
    expect(group.get_by_test_id("satflow-group-counts")).to_contain_text("30 of 30 completed", timeout=RUNS)
    group.get_by_test_id("satflow-group-results").click()
    cell = page.locator(".jp-Notebook-cell.jp-mod-active")
    expect(cell).to_contain_text("get_run_group")
    run_cell(page, lab)
    table = cell.locator(".jp-OutputArea-output table")
    expect(table).to_contain_text(re.compile("2025-11-09.*COMPLETED.*0.0", re.DOTALL), timeout=RUNS)
    show_themes(page, "one-12-results")
    insert_cell(page, lab, PLOT)
    plot = cell.locator(".jp-OutputArea-output img")
    expect(plot).to_be_visible(timeout=STARTS)
    plot.scroll_into_view_if_needed()
    show_themes(page, "one-13-plot")


def insert_cell(page: Page, lab: Lab, code: str) -> None:
    """Insert a cell below the active one, type code into it and run it."""
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:insert-cell-below')")
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:enter-edit-mode')")
    page.keyboard.insert_text(code)
    run_cell(page, lab)


def run_cell(page: Page, lab: Lab) -> None:
    """Run the active cell and wait until the kernel is idle."""
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-cell')")
    lab.wait_until_idle(page)
