"""The sidebar with 100,000 runs of 1,000 deployments, and a run with 5,000 task runs, in Chromium.

The peer is the user interface of a stock Prefect server on a copy of the same database: from the click on its page of runs to the
first run of the list, and from a name in its search field to the list of that run. In both, the application was loaded before.
`panel.paint` is the part of `panel.first-paint` after the last byte of the list has arrived. `panel.run-tab` is the time from
opening a run with 5,000 task runs to its header, `panel.run-tasks` to its table of tasks. `panel.server-memory` is the memory
that 50 tabs add to the Jupyter server while they watch the runs, and `panel.connections` the number of connections to the
Prefect API that they add.
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from figure import p50, report
from large_database import enlarge
from places import free_port, stock_environment, stop_peer, wait_until_ready
from tornado.websocket import websocket_connect

from satflow_ext import endpoints, lease
from satflow_ext.endpoints import Endpoints
from satflow_ext.prefect_api import prefect_client
from satflow_ext.settings import load_settings

sys.path.insert(0, str(Path(__file__).parent.parent / "ui-tests"))

from chromium import running_chromium
from lab import Lab, running_lab
from playwright.sync_api import Browser, Page

ROUNDS = 5
RUNS, DEPLOYMENTS, TASK_RUNS = 100_000, 1_000, 5_000
PATIENCE = 300_000
"""Milliseconds."""

TASK = "[data-testid=satflow-task]"
TABS = 50
PEER_SETTLES = 3_000
"""Milliseconds in which a page of the peer loads the rest of its program."""
SETTLE_SECONDS = 5.0
"""Seconds in which subscriptions and their first answers have arrived."""

REGISTER_AND_RUN = """
from prefect import flow, task
import satflow_ext

@task
def square(n):
    return n * n

@flow
def squares():
    return square.map([1, 2, 3]).result()

satflow_ext.register(squares)
run = satflow_ext.run("squares/squares")
run.wait()
"""

MEASURE = """([selector, text]) => new Promise(done => {
  const matches = () => [...document.querySelectorAll(selector)].find(one => one.textContent.includes(text));
  const finish = () => requestAnimationFrame(() => setTimeout(() => {
    const lists = performance.getEntriesByType('resource').filter(one => one.name.includes('/satflow/runs'));
    const arrived = lists.length ? lists[lists.length - 1].responseEnd : 0;
    done({ total: performance.now() - begun, paint: performance.now() - arrived });
  }));
  const observer = new MutationObserver(() => { if (matches()) { observer.disconnect(); finish(); } });
  observer.observe(document.body, { childList: true, subtree: true, characterData: true });
  const begun = performance.now();
  window.satflowBenchmarkAction();
})"""
"""Call the prepared action, and return the milliseconds until an element contains a text and was painted."""


def measure(page: Page, action: str, selector: str, text: str) -> dict[str, float]:
    """Time an action of a page.

    Args:
        page: the page.
        action: JavaScript statements.
        selector: the elements of which one has to contain the text; none does before.
        text: the text.
    """
    page.evaluate(f"() => {{ window.satflowBenchmarkAction = () => {{ {action} }} }}")
    measured: dict[str, float] = page.evaluate(MEASURE, [selector, text])
    return measured


def type_into(selector: str, text: str) -> str:
    """Return JavaScript that enters a text into the visible field as a user would paste it."""
    return f"""
    const field = [...document.querySelectorAll({selector!r})].find(one => one.offsetParent);
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(field, {text!r});
    field.dispatchEvent(new Event('input', {{ bubbles: true }}));
    """


@contextmanager
def prefect_interface(database: Path) -> Iterator[str]:
    """A stock Prefect server on a copy of a database; the address of its user interface."""
    with TemporaryDirectory(prefix="sf-peer-", dir="/tmp") as name:
        home = Path(name)
        with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(home / "prefect.db")) as copy:
            source.backup(copy)
        port = free_port()
        command = [sys.executable, "-m", "prefect", "server", "start", "--port", str(port)]
        environment = {**stock_environment(home), "PREFECT_UI_API_URL": f"http://127.0.0.1:{port}/api"}
        with (home / "peer.log").open("ab") as log:
            server = subprocess.Popen(command, env=environment, cwd=home, stdout=log, stderr=log)
            try:
                wait_until_ready(port)
                yield f"http://127.0.0.1:{port}"
            finally:
                stop_peer(server)


def open_page(browser: Browser) -> Page:
    """Open a page of its own context."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.set_default_timeout(PATIENCE)
    return page


def measure_ours(browser: Browser, lab: Lab) -> dict[str, list[float]]:
    """Measure the sidebar in new pages."""
    found: dict[str, list[float]] = {"first-paint": [], "paint": [], "search": [], "run-tab": []}
    for number in range(ROUNDS):
        page = open_page(browser)
        lab.open(page)
        show = "window.jupyterapp.commands.execute('satflow:show-runs')"
        first = measure(page, show, "[data-testid=satflow-run-row]", "")
        found["first-paint"].append(first["total"])
        found["paint"].append(first["paint"])
        wanted = f"copied-run-0{50_000 + number}"
        search = type_into("input[type=search][aria-label='Search by run name']", wanted)
        found["search"].append(measure(page, search, f"[data-testid=satflow-open-run][title*='{wanted}']", "")["total"])
        page.context.close()
    return found


def measure_run_tab(browser: Browser, lab: Lab, run_id: str) -> dict[str, list[float]]:
    """Measure the time from opening a run to its header, and to its table of tasks, in new pages."""
    found: dict[str, list[float]] = {"run-tab": [], "run-tasks": []}
    for _ in range(ROUNDS):
        page = open_page(browser)
        lab.open(page)
        page.evaluate("() => window.jupyterapp.commands.execute('satflow:show-runs')")
        page.get_by_test_id("satflow-run-row").first.wait_for()
        opening = f"window.jupyterapp.commands.execute('satflow:open-run', {{ runId: '{run_id}', name: 'run' }});"
        header = measure(page, opening, "[data-testid=satflow-run] [data-testid=satflow-state]", "")["total"]
        tasks = measure(page, "document.querySelector('[data-testid=satflow-tab-tasks]').click();", TASK, "")["total"]
        found["run-tab"].append(header)
        found["run-tasks"].append(header + tasks)
        page.context.close()
    return found


def measure_peer(browser: Browser, address: str) -> dict[str, list[float]]:
    """Measure Prefect's page of runs in new pages."""
    found: dict[str, list[float]] = {"first-paint": [], "search": []}
    for number in range(ROUNDS):
        page = open_page(browser)
        page.goto(f"{address}/dashboard")
        link = "a[href='/runs']"
        page.locator(link).first.wait_for()
        page.wait_for_timeout(PEER_SETTLES)
        show = f"document.querySelector({link!r}).click();"
        found["first-paint"].append(measure(page, show, "a", "copied-run-")["total"])
        page.wait_for_timeout(PEER_SETTLES)
        wanted = f"copied-run-00{1_000 + number}"
        search = type_into("input[placeholder='Search by flow run name']", wanted)
        found["search"].append(measure(page, search, "a", wanted)["total"])
        page.context.close()
    return found


def find_server(lab: Lab) -> psutil.Process:
    """Return the process of the Jupyter server."""
    port = int(lab.url.rpartition(":")[2])
    listening = (one for one in psutil.net_connections("tcp4") if one.status == psutil.CONN_LISTEN)
    return psutil.Process(next(one.pid for one in listening if one.laddr.port == port))


def count_connections(server: psutil.Process, where: Endpoints) -> int:
    """Return the number of connections of a process to the Prefect API."""
    port = int(where.prefect.url.rpartition(":")[2].split("/")[0])
    return sum(bool(one.raddr) and one.raddr.port == port for one in server.net_connections("tcp4"))


async def measure_tabs(lab: Lab, where: Endpoints) -> tuple[float, int]:
    """Return the megabytes and the connections to the Prefect API that tabs add to the Jupyter server, after a first tab."""
    server = find_server(lab)
    address = f"{lab.url.replace('http', 'ws')}/satflow/stream?token={lab.token}"
    watch = json.dumps({"type": "subscribe", "topic": "runs"})
    before = (0.0, 0)
    for tabs in (1, TABS):
        for socket in await asyncio.gather(*(websocket_connect(address) for _ in range(tabs))):
            await socket.write_message(watch)
        await asyncio.sleep(SETTLE_SECONDS)
        now = (server.memory_full_info().uss / 1e6, count_connections(server, where))
        if tabs == 1:
            before = now
    return now[0] - before[0], now[1] - before[1]


async def find_newest_run(where: Endpoints) -> str:
    """Return the id of the newest flow run."""
    async with prefect_client(where.prefect) as client:
        (run,) = await client.read_flow_runs({}, sort="EXPECTED_START_TIME_DESC", limit=1)
    return str(run.id)


def main(home: Path) -> None:
    """Measure both, one after the other, on the same rows."""
    os.environ |= {"SATFLOW_STATE_DIR": str(home / "satflow"), "SATFLOW_RUNTIME_DIR": str(home / "satflow" / "run")}
    settings = load_settings()
    script = home / "register.ipy"
    script.write_text(REGISTER_AND_RUN)
    database = home / "satflow" / "prefect" / "prefect.db"
    with lease.acquire_lease(settings) as held:
        where = endpoints.resolve_endpoints(settings, held.record)
        subprocess.run([sys.executable, "-m", "IPython", script], check=True, capture_output=True)
        run_id = asyncio.run(find_newest_run(where))
        enlarge(database, deployments=DEPLOYMENTS, runs=RUNS, task_runs=TASK_RUNS)
        with running_lab(home) as lab:
            with running_chromium() as browser:
                ours = measure_ours(browser, lab)
                run_tab = measure_run_tab(browser, lab, run_id)
            memory, connections = asyncio.run(measure_tabs(lab, where))
        with prefect_interface(database) as address, running_chromium() as browser:
            peer = measure_peer(browser, address)
    for name in ("first-paint", "search"):
        report(f"panel.{name}@100k", p50(ours[name]), p50(peer[name]), n=ROUNDS)
    report("panel.paint@100k", p50(ours["paint"]), n=ROUNDS)
    for name, measured in run_tab.items():
        report(f"panel.{name}@5k-tasks", p50(measured), n=ROUNDS)
    report("panel.server-memory@50-tabs", memory, unit="MB", n=1)
    report("panel.connections@50-tabs", connections, unit="", n=1)


if __name__ == "__main__":
    with TemporaryDirectory(prefix="sf-", dir="/tmp") as folder:
        main(Path(folder))
