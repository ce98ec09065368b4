"""SatFlow in another language than English, without a language pack of JupyterLab."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from lab import Lab
from playwright.sync_api import Page, expect
from screenshots import shot
from sidebar import STARTS, open_form, show_flows

FLOW = """
from prefect import flow

@flow
def kacheln(anzahl: int = 3):
    return anzahl
"""
SET_LANGUAGE = """locale => window.jupyterapp.serviceManager.settings.save(
  '@jupyterlab/translation-extension:plugin', JSON.stringify({ locale }))"""


@pytest.fixture
def german(page: Page, lab: Lab) -> Iterator[Page]:
    """A page in German. The language is a setting of the server, which all tests share."""
    page.evaluate(SET_LANGUAGE, "de_DE")
    lab.open(page)
    yield page
    page.evaluate(SET_LANGUAGE, "default")


def test_the_sidebar_and_the_form_are_german(german: Page, lab: Lab) -> None:
    lab.open_notebook(german, lab.write("kacheln.ipynb", FLOW))
    lab.run_all(german)
    show_flows(german)
    flow = german.get_by_test_id("satflow-flow")
    expect(flow.get_by_test_id("satflow-register")).to_have_text("Registrieren…", timeout=STARTS)
    form = open_form(german)
    expect(form.get_by_test_id("satflow-submit")).to_have_text("Registrieren")
    for title in ("Läufe", "Cluster"):
        expect(german.locator(".lm-AccordionPanel-title:visible", has_text=title)).to_have_count(1)
    shot(german, "german")
