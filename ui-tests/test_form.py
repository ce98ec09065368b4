"""The register form as it is used without a mouse, and across a reload."""

from __future__ import annotations

import re

from lab import Lab
from playwright.sync_api import Locator, Page, expect
from test_story import RUNS, STARTS, open_form, show_flows

from conftest import shot

SURVEY = """
from pydantic import BaseModel
from prefect import flow

class Box(BaseModel):
    west: float = 5.0
    labels: list[str] = ["north"]

@flow(log_prints=True)
def survey(place: str, times: int = 2, box: Box = Box(), api_token: str = ""):
    for _ in range(times):
        print("looking at", place)
"""

KEPT = """async word => {
  for (;;) {
    const all = JSON.stringify(await window.jupyterapp.serviceManager.workspaces.list());
    if (all.includes(word)) { return all; }
    await new Promise(done => setTimeout(done, 100));
  }
}"""
"""What JupyterLab keeps of its tabs, once a word is in it."""


LISTEN = """() => addEventListener('pagehide', () =>
  localStorage.setItem('left', JSON.stringify({ ...sessionStorage })))"""
"""Keep what the page leaves behind, for the test to see."""


def field(form: Locator, label: str) -> Locator:
    """The input that assistive technology knows by this label."""
    return form.get_by_label(label, exact=True)


def open_survey(page: Page, lab: Lab) -> None:
    lab.open_notebook(page, lab.write("survey.ipynb", SURVEY))
    lab.run_all(page)
    show_flows(page)


def test_run_of_a_new_flow_goes_through_what_it_lacks(page: Page, lab: Lab) -> None:
    open_survey(page, lab)
    page.get_by_role("button", name="Run survey").focus()
    page.keyboard.press("Enter")
    form = page.get_by_test_id("satflow-register-form")
    place = field(form, "place")
    expect(place).to_be_focused()
    page.keyboard.press("Enter")
    expect(place).to_have_attribute("aria-invalid", "true")
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
    form.get_by_test_id("satflow-schedule-kind").select_option("cron")
    kept = page.evaluate(KEPT, "south")
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
