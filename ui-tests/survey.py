"""A flow with parameters of several kinds, and its form."""

from __future__ import annotations

from lab import Lab
from playwright.sync_api import Locator, Page
from sidebar import show_flows

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


def field(form: Locator, label: str) -> Locator:
    """Return the input that assistive technology finds by this label."""
    return form.get_by_label(label, exact=True)


def open_survey(page: Page, lab: Lab) -> None:
    lab.open_notebook(page, lab.write("survey.ipynb", SURVEY))
    lab.run_all(page)
    show_flows(page)
