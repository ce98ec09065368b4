"""Frames while a large run is scrolled: real JupyterLab, real local stack, real Chromium, without a GPU.

One run has 5,000 runs of a mapped task, another one logs 200,000 lines. In their tabs, each frame scrolls the log, the rows of
the opened timeline, or zooms the timeline, and `requestAnimationFrame` gives the time of the next frame: 16.7 ms are 60 frames a
second. The peer is the same measurement on the same page while nothing is scrolled. `late` counts frames that took more than
25 ms, so that at least one of 60 a second is missing.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from figure import p50, p99, report
from playwright.sync_api import Locator, Page

sys.path.insert(0, str(Path(__file__).parents[1] / "ui-tests"))

from chromium import running_chromium
from lab import Lab, running_lab

LINES, TASKS, FRAMES = 200_000, 5_000, 600
LATE = 25.0
"""Milliseconds after which a frame is late."""
PATIENCE = 1_800_000
"""Milliseconds for the run and its log."""

FLOWS = f"""
from prefect import flow, get_run_logger, task

@task
def tile(number):
    return number

@flow
def maps():
    tile.map(range({TASKS})).wait()

@flow
def logs():
    logger = get_run_logger()
    for number in range({LINES}):
        logger.info("line %s of the log, with some words that a line usually has", number)
"""

MEASURE = """(box, [action, frames]) => new Promise(done => {
  const times = [];
  let last = 0;
  let by = 120;
  const { left, top, width, height } = box.getBoundingClientRect();
  const middle = { clientX: left + width / 2, clientY: top + height / 2 };
  const actions = {
    none: () => undefined,
    scroll: () => {
      const before = box.scrollTop;
      box.scrollTop += by;
      by = box.scrollTop === before ? -by : by;
    },
    zoom: () => box.dispatchEvent(new WheelEvent('wheel', {
      deltaY: times.length % 120 < 60 ? -40 : 40, ctrlKey: true, bubbles: true, cancelable: true, ...middle
    }))
  };
  const step = now => {
    if (last) {
      times.push(now - last);
    }
    last = now;
    if (times.length === frames) {
      return done(times);
    }
    actions[action]();
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})"""
"""Do something in each frame, and return the milliseconds between frames."""


def measure(box: Locator, action: str) -> list[float]:
    """Return the milliseconds of each frame while something is done with an element."""
    times: list[float] = box.evaluate(MEASURE, [action, FRAMES])
    return times


def compare(name: str, box: Locator, action: str) -> None:
    """Report the frames while something is done, next to those while nothing is done."""
    peer, ours = measure(box, "none"), measure(box, action)
    report(f"scrolling.{name}.p50", p50(ours), p50(peer), n=FRAMES)
    report(f"scrolling.{name}.p99", p99(ours), p99(peer), n=FRAMES)
    late = [sum(time > LATE for time in times) for times in (ours, peer)]
    report(f"scrolling.{name}.late", *late, unit="frames", n=FRAMES)


def start_run(page: Page, lab: Lab, flow: str) -> Locator:
    """Register and run a flow, and return the tab of the run when it has completed."""
    lab.open_notebook(page, lab.write(f"{flow}.ipynb", FLOWS, f"%register_flow {flow}", f"%run_flow {flow}"))
    lab.run_all(page)
    page.evaluate("() => window.jupyterapp.commands.execute('satflow:show-runs')")
    page.get_by_test_id("satflow-run-row").filter(has_text=flow).get_by_test_id("satflow-open-run").click()
    run = page.get_by_test_id("satflow-run").last
    run.locator("[data-state=COMPLETED]").first.wait_for()
    return run


def wait_for_task_runs(page: Page, tab: Locator) -> None:
    """Wait until the number of task runs has not grown for twenty seconds: Prefect's server records them late, or not all."""
    before, now = "", tab.inner_text()
    while now != before:
        page.wait_for_timeout(20_000)
        before, now = now, tab.inner_text()
    print(f"timeline: {now}", file=sys.stderr)


def measure_timeline(page: Page, lab: Lab) -> None:
    """Zoom and scroll the timeline of many task runs."""
    run = start_run(page, lab, "maps")
    tab = run.get_by_test_id("satflow-tab-tasks")
    wait_for_task_runs(page, tab)
    tab.click()
    box = run.get_by_test_id("satflow-timeline-box")
    compare("timeline-zoom", box, "zoom")
    box.press("ArrowDown")
    box.press("ArrowRight")
    compare("timeline-rows", box, "scroll")


def measure_log(page: Page, lab: Lab) -> None:
    """Scroll a long log."""
    run = start_run(page, lab, "logs")
    run.locator(f"[data-testid=satflow-log][data-count^='{LINES // 1000}']").wait_for()
    run.get_by_test_id("satflow-log-follow").click()
    compare("log", run.get_by_test_id("satflow-log"), "scroll")


def main() -> None:
    """Measure both in one JupyterLab."""
    with (
        tempfile.TemporaryDirectory(prefix="sf-", ignore_cleanup_errors=True) as home,
        running_lab(Path(home)) as lab,
        running_chromium() as browser,
    ):
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(PATIENCE)
        lab.open(page)
        measure_timeline(page, lab)
        measure_log(page, lab)
        lab.shut_kernels_down(page)


if __name__ == "__main__":
    main()
