"""The story of a user in the JupyterLab of another environment: `tests/installed` runs it with the oldest and newest packages."""

from __future__ import annotations

import tempfile
from pathlib import Path

from chromium import running_chromium
from lab import Lab, running_lab
from playwright.sync_api import Page, expect
from sidebar import RUNS, open_form, show_flows

FLOW = """
from prefect import flow, task

@task
def double(number):
    return 2 * number

@flow(log_prints=True)
def doubles(count: int = 4):
    numbers = double.map(range(count)).result()
    print("sum", sum(numbers))
    until_seen()
"""
WAITS = """
import time
from pathlib import Path

def until_seen():
    while not Path({path!r}).exists():
        time.sleep(0.2)
"""


def register_and_watch(page: Page, lab: Lab, seen: Path) -> None:
    """Register a flow on Dask with the form, and watch its run, which ends when its Dask workers and its log were shown."""
    lab.open_notebook(page, lab.write("doubles.ipynb", WAITS.format(path=str(seen)), FLOW))
    lab.run_all(page)
    show_flows(page)
    expect(page.get_by_test_id("satflow-flow").first).to_contain_text("doubles", timeout=RUNS)
    form = open_form(page)
    form.get_by_label("count").fill("5")
    form.get_by_test_id("satflow-executor-dask-local").click()
    form.get_by_test_id("satflow-submit-and-run").click()
    run = page.get_by_test_id("satflow-run").last
    expect(run.get_by_test_id("satflow-state").first).to_contain_text("Running", timeout=RUNS)
    expect(run.get_by_test_id("satflow-log")).to_contain_text("sum 20", timeout=RUNS)
    run.get_by_test_id("satflow-tab-cluster").click()
    expect(run.get_by_test_id("satflow-worker")).not_to_have_count(0, timeout=RUNS)
    seen.touch()
    expect(run.get_by_test_id("satflow-state").first).to_contain_text("Completed", timeout=RUNS)


def main() -> None:
    """Drive one JupyterLab through the story."""
    with (
        tempfile.TemporaryDirectory(prefix="satflow-", dir="/tmp") as home,
        running_lab(Path(home)) as lab,
        running_chromium() as browser,
    ):
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        lab.open(page)
        register_and_watch(page, lab, Path(home) / "seen")
        lab.shut_kernels_down(page)


if __name__ == "__main__":
    main()
