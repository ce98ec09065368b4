"""Changes by others in Prefect are overwritten only on request."""

from __future__ import annotations

import json

import httpx
from lab import Lab
from playwright.sync_api import Page, expect
from screenshots import shot
from sidebar import STARTS, register_first

MEASURE = """
from prefect import flow

@flow
def measure(depth: int = 3):
    return depth
"""


def delete_in_prefect(lab: Lab, deployment: str) -> None:
    """Delete a deployment as Prefect's UI does."""
    record = json.loads((lab.folder.parent / "satflow" / "run" / "stack.json").read_text())
    user, _, password = record["prefect_auth"].partition(":")
    with httpx.Client(base_url=record["prefect_url"], auth=(user, password), trust_env=False) as prefect:
        found = prefect.get(f"deployments/name/{deployment}").raise_for_status().json()
        token = prefect.get("csrf-token", params={"client": "ui-tests"}).raise_for_status().json()["token"]
        headers = {"Prefect-Csrf-Client": "ui-tests", "Prefect-Csrf-Token": token}
        prefect.delete(f"deployments/{found['id']}", headers=headers).raise_for_status()


def test_a_deleted_deployment_comes_back_only_when_asked_for(page: Page, lab: Lab) -> None:
    form, registered = register_first(page, lab, "measure.ipynb", MEASURE)

    delete_in_prefect(lab, "measure/measure")
    form.get_by_test_id("satflow-submit").click()
    expect(form.get_by_role("alert")).to_contain_text("deleted", timeout=STARTS)
    overwrite = form.get_by_test_id("satflow-overwrite")
    expect(overwrite).to_be_visible()
    shot(page, "17-overwrite")
    overwrite.click()
    expect(registered).to_have_attribute("data-outcome", "created", timeout=STARTS)
    expect(overwrite).to_have_count(0)
