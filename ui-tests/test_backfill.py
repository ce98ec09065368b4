"""A backfill from the sidebar: the form shows the number of runs, the group its progress, and the failed runs are run again."""

from __future__ import annotations

import re

from lab import Lab
from playwright.sync_api import Page, expect
from sidebar import RUNS, STARTS, register_first
from themes import show_themes

DAILY = """
import datetime as dt
from pathlib import Path
from prefect import flow

@flow
def daily(day: dt.date, region: str = "north", fixed: str = FIXED):
    if day.day in (3, 5) and not Path(fixed).exists():
        raise ValueError(f"no data for {day}")
    return day.day
"""


def test_a_backfill_is_started_watched_and_repaired(page: Page, lab: Lab) -> None:
    fixed = lab.folder / "fixed"
    register_first(page, lab, "daily.ipynb", DAILY.replace("FIXED", repr(str(fixed))))
    page.evaluate("() => window.jupyterapp.commands.execute('satflow:show-runs')")
    page.locator("[data-deployment=daily]").get_by_test_id("satflow-run-many").click()
    form = page.get_by_test_id("satflow-run-many-form")
    form.get_by_test_id("satflow-over-first-day").fill("2026-01-07")
    form.get_by_test_id("satflow-over-last-day").fill("2026-01-01")
    expect(form.get_by_test_id("satflow-error")).to_contain_text("ends before it begins", timeout=STARTS)
    form.get_by_test_id("satflow-over-first-day").fill("2026-01-01")
    form.get_by_test_id("satflow-over-last-day").fill("2026-01-07")
    form.get_by_test_id("satflow-group-name").fill("january")
    expect(form.get_by_test_id("satflow-plan")).to_contain_text("7 runs", timeout=STARTS)
    expect(form.get_by_test_id("satflow-plan")).to_be_in_viewport(ratio=1)
    show_themes(page, "90-run-many")
    page.get_by_role("button", name="Start runs").click()

    group = page.locator("[data-group=january]")
    expect(group.get_by_test_id("satflow-state").first).to_have_attribute("data-state", "FAILED", timeout=RUNS)
    expect(group.get_by_test_id("satflow-group-counts")).to_contain_text("5 of 7 completed")
    expect(group.get_by_test_id("satflow-group-counts")).to_contain_text("2 failed")
    group.get_by_test_id("satflow-open-group").click()
    failed = group.get_by_test_id("satflow-point").and_(page.locator("[data-state=FAILED]"))
    expect(failed).to_have_count(2, timeout=STARTS)
    expect(failed.first).to_contain_text(re.compile("2026-01-03.*no data for 2026-01-03", re.DOTALL))
    show_themes(page, "91-run-group")
    failed.first.get_by_test_id("satflow-open-point").click()
    expect(page.get_by_test_id("satflow-run").last).to_contain_text("no data for 2026-01-03", timeout=STARTS)

    fixed.touch()
    group.get_by_test_id("satflow-retry-group").click()
    expect(group.get_by_test_id("satflow-state").first).to_have_attribute("data-state", "COMPLETED", timeout=RUNS)
    expect(group.get_by_test_id("satflow-group-counts")).to_contain_text("7 of 7 completed")
    expect(group.get_by_test_id("satflow-retry-group")).to_have_count(0)
