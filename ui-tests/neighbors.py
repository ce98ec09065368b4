"""The sidebar in a JupyterLab with other extensions, and in Notebook 7: `tests/surroundings` starts both.

Usage: neighbors.py URL FOLDER. The token of the server is in JUPYTER_TOKEN.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from chromium import running_chromium
from lab import Lab
from playwright.sync_api import Page, expect
from sidebar import RUNS, show_flows

FLOW = """
from prefect import flow

@flow
def shared():
    pass
"""
OPENED = """async () => {
  const app = window.jupyterapp;
  const pause = () => new Promise(done => setTimeout(done, 100));
  while (!app.shell.currentWidget?.sessionContext) { await pause(); }
  const panel = app.shell.currentWidget;
  await panel.context.ready;
  await panel.sessionContext.ready;
  await panel.sessionContext.session.kernel.info;
}"""
"""Wait for the notebook of a page of Notebook 7, which has no other."""


def expect_flow(page: Page, lab: Lab) -> None:
    """Run the cells of the notebook, whose flow is listed with the runs of this user."""
    lab.run_all(page)
    show_flows(page)
    expect(page.get_by_test_id("satflow-flow").first).to_contain_text("shared", timeout=RUNS)
    expect(page.get_by_test_id("satflow-runs")).to_contain_text("Completed", timeout=RUNS)


def open_notebook_7(page: Page, lab: Lab, path: str) -> None:
    """Open a page of Notebook 7."""
    page.goto(f"{lab.url}/{path}?token={lab.token}")
    page.wait_for_function("() => window.jupyterapp && window.jupyterapp.started")
    page.evaluate("() => window.jupyterapp.restored")


def main(url: str, folder: str) -> None:
    """Look at the flow of a notebook in both."""
    lab = Lab(url, os.environ["JUPYTER_TOKEN"], Path(folder))
    notebook = lab.write("shared.ipynb", FLOW)
    errors: list[str] = []
    with running_chromium() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.on("pageerror", lambda error: errors.append(f"{error}\n{error.stack}"))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        lab.open(page)
        lab.open_notebook(page, notebook)
        expect_flow(page, lab)
        open_notebook_7(page, lab, "tree")
        open_notebook_7(page, lab, f"notebooks/{notebook}")
        page.evaluate(OPENED)
        expect_flow(page, lab)
        lab.shut_kernels_down(page)
    assert not [each for each in errors if "satflow" in each.lower()], errors


if __name__ == "__main__":
    main(*sys.argv[1:])
