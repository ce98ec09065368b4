"""Take the pictures of the documentation: `scripts/screenshots` writes them to docs/images."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from chromium import running_chromium
from lab import Lab, running_lab
from PIL import Image
from playwright.sync_api import Locator, Page, expect
from sidebar import RUNS, STARTS, open_form, show_flows

IMAGES = Path(__file__).parent.parent / "docs" / "images"
SIZE = {"width": 1440, "height": 900}


def save(page: Page, name: str) -> None:
    """Save a picture of the whole window, after layout and animations have settled."""
    page.wait_for_timeout(1000)
    picture = Image.open(io.BytesIO(page.screenshot(animations="disabled")))
    picture.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(IMAGES / f"{name}.png", optimize=True)


def dismiss_notifications(page: Page) -> None:
    """Remove JupyterLab's notifications, which cover a part of the run."""
    page.evaluate("() => window.jupyterapp.commands.execute('apputils:dismiss-notification')")
    page.evaluate("() => document.querySelectorAll('.Toastify__toast-container').forEach(each => each.remove())")


def show_flow_list(page: Page, lab: Lab) -> None:
    """Open the notebook of the tutorial with its flow in the sidebar."""
    lab.open_example(page, "tiles.ipynb")
    lab.run_all(page)
    show_flows(page)
    expect(page.get_by_test_id("satflow-drift").first).to_have_text("new")
    expect(page.get_by_text("No runs yet.")).to_be_visible(timeout=STARTS)
    save(page, "flows")


def register(page: Page) -> Locator:
    """Fill in the form, and register the flow on Dask with a schedule."""
    form = open_form(page)
    form.get_by_label("tile_size").fill("32")
    form.get_by_test_id("satflow-executor-dask-local").click()
    form.get_by_test_id("satflow-add-schedule").click()
    form.get_by_test_id("satflow-schedule-kind").select_option("cron")
    form.get_by_test_id("satflow-cron").fill("30 6 * * 1-5")
    form.get_by_test_id("satflow-timezone").select_option("Europe/Berlin")
    expect(form.get_by_test_id("satflow-next-runs").locator("li")).to_have_count(3)
    form.get_by_test_id("satflow-schedule-kind").scroll_into_view_if_needed()
    save(page, "register")
    form.get_by_test_id("satflow-submit").click()
    expect(form.get_by_test_id("satflow-registered")).to_have_attribute("data-outcome", "created", timeout=STARTS)
    return form


def watch_run(page: Page, lab: Lab, form: Locator) -> None:
    """Start a run next to the form, and show its log and its cluster while it runs."""
    form.get_by_test_id("satflow-run-now").click()
    run = page.get_by_test_id("satflow-run").last
    expect(run.get_by_test_id("satflow-state").first).to_contain_text("Running", timeout=RUNS)
    lab.put_beside_notebook(page)
    expect(run.get_by_test_id("satflow-log")).to_contain_text("mean index", timeout=RUNS)
    dismiss_notifications(page)
    save(page, "run")
    run.get_by_test_id("satflow-tab-cluster").click()
    expect(run.get_by_test_id("satflow-worker")).to_have_count(2, timeout=RUNS)
    save(page, "cluster")
    run.get_by_test_id("satflow-tab-artifacts").click()
    expect(run.get_by_test_id("satflow-state").first).to_contain_text("Completed", timeout=RUNS)
    expect(run.locator("img")).to_be_visible(timeout=STARTS)
    dismiss_notifications(page)
    save(page, "finished")


def main() -> None:
    """Drive one JupyterLab through the story of the tutorial."""
    IMAGES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="satflow-", dir="/tmp") as home,
        running_lab(Path(home)) as lab,
        running_chromium() as browser,
    ):
        page = browser.new_page(viewport=SIZE)
        lab.open(page)
        show_flow_list(page, lab)
        watch_run(page, lab, register(page))
        lab.shut_kernels_down(page)


if __name__ == "__main__":
    main()
