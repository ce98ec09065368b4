"""The cluster that a deployment's runs share, from the form to its end."""

from __future__ import annotations

import re

from lab import Lab
from playwright.sync_api import Page, expect
from test_story import RUNS, STARTS, open_form, show_flows

from conftest import shot

FLOW = """
from prefect import flow

@flow
def warmed(): ...
"""


def test_a_shared_cluster_is_chosen_started_and_closed(page: Page, lab: Lab) -> None:
    lab.open_notebook(page, lab.write("warmed.ipynb", FLOW))
    lab.run_all(page)
    show_flows(page)
    form = open_form(page)
    form.get_by_test_id("satflow-executor-dask-cluster").click()
    form.get_by_label("Maximum", exact=True).fill("1")
    form.get_by_label("Minimum", exact=True).fill("2")
    form.get_by_test_id("satflow-submit").click()
    expect(form).to_contain_text("less than the minimum", timeout=STARTS)
    shot(page, "40-contradiction")
    form.get_by_label("Minimum", exact=True).fill("0")
    form.get_by_test_id("satflow-submit").click()
    expect(form.get_by_test_id("satflow-registered")).to_have_attribute("data-outcome", "created", timeout=STARTS)

    cluster = page.get_by_test_id("satflow-shared-cluster")
    expect(cluster).to_contain_text("not running", timeout=STARTS)
    cluster.get_by_role("button", name=re.compile("Start")).click()
    expect(cluster).to_contain_text("0 workers", timeout=RUNS)
    shot(page, "41-shared-cluster")
    cluster.get_by_role("button", name=re.compile("Close")).click()
    page.get_by_role("button", name="Close cluster").click()
    expect(cluster).to_contain_text("not running", timeout=STARTS)
