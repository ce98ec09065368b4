"""The register form, used without a mouse and across a reload of the page."""

from __future__ import annotations

import re

from lab import Lab
from playwright.sync_api import Page, expect
from screenshots import shot
from sidebar import RUNS, STARTS, open_form, show_flows, wait_until_saved
from survey import field, open_survey

SETUP = """
import threading
lock = threading.Lock()
"""
LIMITED = f"""
from prefect import flow
from prefect.task_runners import ThreadPoolTaskRunner

settings = {{"key": "ghp_{"a1B2" * 9}"}}

@flow(task_runner=ThreadPoolTaskRunner(max_workers=1))
def limited():
    with lock:
        return len(settings)
"""

LISTEN = """() => addEventListener('pagehide', () =>
  localStorage.setItem('left', JSON.stringify({ ...sessionStorage })))"""
"""Copy the session storage when the page is left, so that the test can read it."""


def test_the_flow_s_own_task_runner_counts_and_what_replaces_it_is_said(page: Page, lab: Lab) -> None:
    lab.open_notebook(page, lab.write("limited.ipynb", SETUP, LIMITED, tags={0: "flow-setup"}))
    lab.run_all(page)
    show_flows(page)
    form = open_form(page)
    card = form.get_by_test_id("satflow-executor-flow")
    expect(card).to_contain_text("ThreadPoolTaskRunner(max_workers=1)")
    expect(card.get_by_role("radio")).to_be_checked()
    form.get_by_test_id("satflow-submit").click()
    registered = form.get_by_test_id("satflow-registered")
    expect(registered).to_have_attribute("data-outcome", "created", timeout=STARTS)  # the lock is in a setup cell
    findings = registered.get_by_test_id("satflow-finding")
    expect(findings).to_have_count(1)
    expect(findings.first).to_contain_text("limited -> settings['key'] looks like a GitHub token.")
    registered.scroll_into_view_if_needed()
    shot(page, "registered-with-a-warning")

    form.get_by_test_id("satflow-executor-threads").click()
    form.get_by_test_id("satflow-submit").click()
    expect(registered).to_have_attribute("data-outcome", "changed", timeout=STARTS)
    expect(findings.last).to_contain_text("instead of its own ThreadPoolTaskRunner(max_workers=1)")
    registered.scroll_into_view_if_needed()
    shot(page, "registered-with-two-warnings")


def test_run_of_a_new_flow_goes_through_what_it_lacks(page: Page, lab: Lab) -> None:
    open_survey(page, lab)
    page.get_by_role("button", name="Run survey").focus()
    page.keyboard.press("Enter")
    form = page.get_by_test_id("satflow-register-form")
    place = field(form, "place")
    expect(place).to_be_focused()
    page.keyboard.press("Enter")
    expect(place).to_have_attribute("aria-invalid", "true", timeout=STARTS)
    expect(place).to_have_accessible_description(re.compile("A run needs a value for place"))
    expect(place).to_be_focused()
    shot(page, "14-missing")
    page.keyboard.type("Bergen")
    page.keyboard.press("Enter")
    run = page.get_by_test_id("satflow-run").last
    expect(run.get_by_test_id("satflow-state").first).to_contain_text("Completed", timeout=RUNS)
    expect(run.get_by_test_id("satflow-log")).to_contain_text("looking at Bergen", timeout=STARTS)


def test_form_comes_back_after_a_reload_without_its_secrets(page: Page, lab: Lab) -> None:
    open_survey(page, lab)
    form = open_form(page)
    field(form, "Name").fill("nightly-survey")
    field(form, "place").fill("Tromsø")
    field(form, "labels 1").fill("south")
    field(form, "api_token").fill("planted-4711")
    form.get_by_test_id("satflow-add-schedule").click()
    form.get_by_test_id("satflow-schedule-kind").select_option("cron")
    kept = wait_until_saved(page, "south")
    assert "planted-4711" not in kept
    page.evaluate(LISTEN)
    field(form, "Name").fill("hourly-survey")
    page.reload()
    page.wait_for_function("() => window.jupyterapp && window.jupyterapp.started")
    form = page.get_by_test_id("satflow-register-form")
    expect(field(form, "Name")).to_have_value("hourly-survey", timeout=STARTS)
    left = page.evaluate("() => localStorage.getItem('left')")
    assert "hourly-survey" in left
    assert "planted-4711" not in left
    assert "left-form" not in page.evaluate("() => JSON.stringify({ ...sessionStorage })"), "it is picked up once"
    expect(field(form, "place")).to_have_value("Tromsø")
    expect(field(form, "labels 1")).to_have_value("south")
    expect(field(form, "api_token")).to_have_value("")
    expect(form.get_by_test_id("satflow-schedule-kind")).to_have_value("cron", timeout=STARTS)
    expect(field(form, "times")).to_have_value("2", timeout=STARTS)
