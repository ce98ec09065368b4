"""The infrastructure of runs and the options of a cluster class in the register form."""

from __future__ import annotations

import re

from lab import Lab
from playwright.sync_api import Page, expect
from screenshots import shot
from sidebar import STARTS, open_form
from survey import field, open_survey


def test_what_runs_are_started_with(page: Page, lab: Lab) -> None:
    open_survey(page, lab)
    form = open_form(page)
    group = form.get_by_test_id("satflow-infrastructure")
    group.get_by_text("Infrastructure").click()
    variables = field(form, "Environment variables")
    expect(variables).to_have_accessible_description(re.compile("Prefect stores them in plain text"))
    expect(form.get_by_label("Container image")).to_have_count(0)
    variables.fill("REGION=north\nAPI_TOKEN=b7e23ec29af22b0b4e41da31e868d572")
    form.get_by_test_id("satflow-name").focus()
    page.keyboard.press("Enter")
    expect(variables).to_have_attribute("aria-invalid", "true", timeout=STARTS)
    expect(variables).to_have_accessible_description(re.compile("API_TOKEN looks like a credential"))
    expect(variables).to_be_focused()
    group.get_by_text("Other job variables of satflow-local").click()
    expect(group.get_by_label("Stream Output")).to_be_checked()
    variables.scroll_into_view_if_needed()
    shot(page, "40-infrastructure")


def test_a_cluster_class_says_what_it_can_be_told(page: Page, lab: Lab) -> None:
    open_survey(page, lab)
    form = open_form(page)
    form.get_by_test_id("satflow-executor-dask-cluster").click()
    back_end = field(form, "Cluster provider")
    back_end.fill("distributed:SSHKluster")
    ask = form.get_by_role("button", name=re.compile("Show the options of"))
    ask.click()
    told = form.get_by_test_id("satflow-cluster-class")
    expect(told.get_by_role("alert")).to_contain_text(
        "The cluster provider distributed:SSHKluster cannot be imported", timeout=STARTS
    )
    back_end.fill("distributed:LocalCluster")
    ask.click()
    expect(told).to_contain_text("Create local Scheduler and Workers", timeout=STARTS)
    field(form, "threads_per_worker").fill("3")
    expect(field(form, "Provider options")).to_have_value(re.compile('"threads_per_worker": 3'))
    told.scroll_into_view_if_needed()
    shot(page, "41-cluster-class")
