"""A line logged by a flow → that line in the page: real JupyterLab, real local stack, real Chromium, one run's tab open.

Each line carries the time of its logging call, and a `MutationObserver` in the page notes when a line is first in the DOM; both
clocks are this machine's. The list is virtual: at 1,000 lines/s most lines are never drawn, so the percentiles are of those that
were. `logs.lost` counts the others too: lines logged, less those that a search over the tab's whole log finds after the end.

There is no peer: Prefect's own UI asks for logs every five seconds, and cannot be driven beside this.
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
from figure import p50, p99, report
from playwright.sync_api import Page

sys.path.insert(0, str(Path(__file__).parents[1] / "ui-tests"))

from chromium import running_chromium
from lab import Lab, running_lab

SLOW = (10, 300)
FAST = (1_000, 20_000)
"""Lines a second, and lines."""

FLOW = """
import time
from prefect import flow, get_run_logger

@flow
def speaks(count: int = 1, rate: float = 1.0):
    logger = get_run_logger()
    start = time.time()
    for number in range(count):
        time.sleep(max(0, start + number / rate - time.time()))
        logger.info(f"bench-line {number} {time.time():.6f}")
"""

OBSERVE = """() => {
  const line = /bench-line (\\d+) (\\d+\\.\\d+)/;
  const seen = (window.seen = new Map());
  new MutationObserver(() => {
    const now = performance.timeOrigin + performance.now();
    for (const row of document.querySelectorAll('[data-testid=satflow-log-line]')) {
      const found = line.exec(row.textContent);
      if (found && !seen.has(found[1])) {
        seen.set(found[1], now - 1000 * Number(found[2]));
      }
    }
  }).observe(document.body, { childList: true, characterData: true, subtree: true });
}"""
"""Collects, for each line that is drawn, the milliseconds since it was logged."""


class Server:
    """The REST side of that JupyterLab.

    Args:
        lab: where it runs.
    """

    def __init__(self, lab: Lab) -> None:
        self._http = httpx.Client(
            base_url=f"{lab.url}/satflow/", headers={"Authorization": f"token {lab.token}"}, timeout=120
        )

    def deployment(self) -> str:
        """The id of the one deployment."""
        (row,) = self._http.get("deployments").raise_for_status().json()["deployments"]
        return str(row["id"])

    def start(self, deployment: str, rate: int, count: int) -> dict[str, str]:
        """A new run."""
        body = {
            "deployment_id": deployment,
            "parameters": {"rate": rate, "count": count},
            "idempotency_key": str(uuid4()),
        }
        reply: dict[str, str] = self._http.post("runs", json=body).raise_for_status().json()
        return reply

    def wait_for_end(self, run_id: str) -> None:
        """Wait until the run is over; it must have gone well."""
        while (state := self._http.get(f"runs/{run_id}").raise_for_status().json()["run"]["state_type"]) != "COMPLETED":
            assert state in ("SCHEDULED", "PENDING", "RUNNING"), state
            time.sleep(2)

    def lines(self, run_id: str) -> int:
        """How many of the flow's lines Prefect has."""
        log = self._http.get(f"runs/{run_id}/log").raise_for_status().text
        return len(set(re.findall(r"bench-line \d+", log)))


def measure(page: Page, server: Server, deployment: str, rate: int, count: int) -> tuple[list[float], int]:
    """Run the flow with its tab open.

    Returns:
        Milliseconds from call to DOM of each line that was drawn, and how many of the lines the tab does not know at the end.
    """
    page.evaluate(OBSERVE)
    run = server.start(deployment, rate, count)
    page.evaluate(
        "run => window.jupyterapp.commands.execute('satflow:open-run', { runId: run.id, name: run.name })", run
    )
    server.wait_for_end(run["id"])
    _settle(page, run["id"])
    tab = page.locator(f"[data-run='{run['id']}']")
    taken: list[float] = page.evaluate("() => [...window.seen.values()]")
    tab.get_by_test_id("satflow-log-search").fill("bench-line")
    words = tab.get_by_test_id("satflow-log-matches").inner_text()
    known = int(words.split()[-1])
    print(
        f"{rate} lines/s: drawn {len(taken)}, in the tab {known}, at Prefect {server.lines(run['id'])}", file=sys.stderr
    )
    page.evaluate("() => window.jupyterapp.shell.currentWidget.close()")
    return taken, count - known


def _settle(page: Page, run_id: str) -> None:
    """Wait until the tab's log has not grown for twenty seconds: a busy Prefect server takes lines in long after the run."""
    log = page.locator(f"[data-run='{run_id}']").get_by_test_id("satflow-log")
    before, now = "", log.get_attribute("data-count")
    while now != before:
        page.wait_for_timeout(20_000)
        before, now = now, log.get_attribute("data-count")


@contextmanager
def opened(lab: Lab) -> Iterator[Page]:
    """A page on that JupyterLab in Debian's Chromium."""
    with running_chromium() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        lab.open(page)
        yield page


def main() -> None:
    """Register the flow from a notebook, then let it speak slowly and fast."""
    with (
        tempfile.TemporaryDirectory(prefix="sf-", ignore_cleanup_errors=True) as home,
        running_lab(Path(home)) as lab,
        opened(lab) as page,
    ):
        lab.open_notebook(page, lab.write("speaks.ipynb", FLOW, "%register_flow speaks"))
        lab.run_all(page)
        server = Server(lab)
        deployment = server.deployment()
        slow, _ = measure(page, server, deployment, *SLOW)
        fast, lost = measure(page, server, deployment, *FAST)
        lab.shut_kernels_down(page)
    report("logs.p50@10", p50(slow), n=len(slow))
    report("logs.p99@10", p99(slow), n=len(slow))
    report("logs.p50@1000", p50(fast), n=len(fast))
    report("logs.p99@1000", p99(fast), n=len(fast))
    report("logs.lost", lost, unit="lines", n=FAST[1])


if __name__ == "__main__":
    main()
