"""Log lines that the Prefect API keeps: lines per second, and how many are lost or doubled, also under faults.

`flood`: 50,000 lines as fast as they come; the figure counts from the first line until the API has the last. `killed`: a run that
logs 500 lines a second is killed with SIGKILL after 10 s. `stopped`: the same while the Prefect server is stopped for a minute.
The peer of the flood is the same flow with Prefect's own queue, on a stock process worker, measured until its process has ended,
or for `PEER_PATIENCE` seconds; it is measured when `peer` is an argument.

    scripts/bench log-keep [flood] [killed] [stopped] [peer]
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import httpx
import psutil
from figure import p99, report
from places import own_stack, prefect_environment, stop_peer

from satflow_ext import lease
from satflow_ext.endpoints import Endpoints
from satflow_ext.prefect_api import prefect_client
from satflow_ext.run_logs.spool import spool_folder
from satflow_ext.runs.log_pages import read_log_pages
from satflow_ext.settings import Settings

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.run_processes import process_of_run

LINES = 50_000
RATE = 500.0
STOPPED = 60.0
PEER_PATIENCE = 300.0

FLOW = """
import time
from prefect import flow

@flow(log_prints=True)
def speaks(count: int = 1, rate: float = 0.0):
    start = time.time()
    for number in range(count):
        if rate:
            time.sleep(max(0, start + number / rate - time.time()))
        print(f"line {number}")
"""

REGISTER = (
    FLOW
    + """
import satflow_ext
satflow_ext.register(speaks)
"""
)


class Bench:
    """Runs of one deployment, and what the Prefect API has of them.

    Args:
        where: the stack.
        settings: its settings.
        deployment: `flow/deployment`.
    """

    def __init__(self, where: Endpoints, settings: Settings, deployment: str) -> None:
        self._where = where
        self._settings = settings
        self._deployment = deployment

    def start(self, **parameters: object) -> str:
        """Start a run, and wait until it runs."""

        async def start() -> str:
            async with prefect_client(self._where.prefect) as client:
                row = await client.read_deployment_by_name(*self._deployment.split("/"))
                return str((await client.create_flow_run(row.id, parameters, None)).id)

        run_id = asyncio.run(start())
        self.wait_for(run_id, "RUNNING", "COMPLETED")
        return run_id

    def wait_for(self, run_id: str, *states: str) -> None:
        """Wait for a state of the run."""

        async def wait() -> None:
            async with prefect_client(self._where.prefect) as client:
                while True:
                    if (await client.read_flow_run(UUID(run_id))).state_type in states:
                        return
                    await asyncio.sleep(0.2)

        asyncio.run(wait())

    def kept(self, run_id: str) -> Counter[int]:
        """How often the API has each line's number."""

        async def read() -> Counter[int]:
            async with prefect_client(self._where.prefect) as client:
                pages = [page async for page in read_log_pages(client, UUID(run_id))]
            messages = {each.id: each.message for page in pages for each in page}.values()
            return Counter(int(each.split()[1]) for each in messages if each.startswith("line "))

        return asyncio.run(read())

    def wait_for_upload(self, run_id: str) -> None:
        """Wait until the API has everything of a run of ours."""
        while (spool_folder(self._settings) / run_id).exists():
            time.sleep(0.1)

    def report_kept(self, name: str, run_id: str, written: int | None = None) -> None:
        """Print how many lines are lost and doubled; of a killed run, of those up to the last one that is there."""
        kept = self.kept(run_id)
        count = max(kept) + 1 if written is None else written
        report(f"log-keep.{name}.lost", count - len(kept), unit="lines", n=count)
        report(f"log-keep.{name}.doubled", kept.total() - len(kept), unit="lines", n=count)


class Probe:
    """Other requests to the Prefect server meanwhile."""

    def __init__(self, where: Endpoints) -> None:
        self.taken: list[float] = []
        user, _, password = str(where.prefect.auth_string).partition(":")
        self._http = httpx.Client(base_url=where.prefect.url, auth=(user, password), timeout=60, trust_env=False)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Probe:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(0.1):
            begun = time.perf_counter()
            self._http.get("/admin/version").raise_for_status()
            self.taken.append(1000 * (time.perf_counter() - begun))


def flood(bench: Bench, where: Endpoints) -> float:
    """Lines per second that are kept."""
    with Probe(where) as probe:
        run_id = bench.start(count=LINES)
        begun = time.perf_counter()
        bench.wait_for(run_id, "COMPLETED")
        bench.wait_for_upload(run_id)
        rate = LINES / (time.perf_counter() - begun)
    bench.report_kept("flood", run_id, LINES)
    report("log-keep.flood.other-requests.p99", p99(probe.taken), n=len(probe.taken))
    return rate


def killed(bench: Bench) -> None:
    """A run that is killed."""
    run_id = bench.start(count=1_000_000, rate=RATE)
    time.sleep(10)
    process_of_run(run_id).send_signal(signal.SIGKILL)
    bench.wait_for(run_id, "CRASHED")
    bench.wait_for_upload(run_id)
    bench.report_kept("killed", run_id)


def stopped(bench: Bench, settings: Settings) -> None:
    """A Prefect server that is stopped, and goes on."""
    count = int(RATE * 1.5 * STOPPED)
    run_id = bench.start(count=count, rate=RATE)
    services = (lease.read_report(settings) or sys.exit("no stack")).services
    server = psutil.Process(next(each.pid for each in services if each.name == "prefect-server"))
    time.sleep(5)
    server.suspend()
    time.sleep(STOPPED)
    server.resume()
    bench.wait_for(run_id, "COMPLETED", "CRASHED", "FAILED")
    bench.wait_for_upload(run_id)
    bench.report_kept("stopped", run_id, count)


def peer(where: Endpoints, settings: Settings, folder: Path) -> float:
    """Lines per second that Prefect's own queue keeps."""
    environment = prefect_environment(where)
    (folder / "flows.py").write_text(FLOW)
    prefect = [sys.executable, "-m", "prefect"]
    subprocess.run([*prefect, "work-pool", "create", "stock", "--type", "process"], env=environment, check=True)
    deploy = [*prefect, "--no-prompt", "deploy", "flows.py:speaks", "--name", "stock", "--pool", "stock"]
    subprocess.run(deploy, env=environment, cwd=folder, check=True, capture_output=True)
    worker = subprocess.Popen([*prefect, "worker", "start", "--pool", "stock"], env=environment, cwd=folder)
    try:
        bench = Bench(where, settings, "speaks/stock")
        run_id = bench.start(count=LINES)
        begun = time.perf_counter()
        process = process_of_run(run_id)
        while process.is_running() and time.perf_counter() - begun < PEER_PATIENCE:
            time.sleep(0.5)
        taken = time.perf_counter() - begun
        bench.report_kept("flood.peer", run_id, LINES)
        return len(bench.kept(run_id)) / taken
    finally:
        stop_peer(worker)


def main(where: Endpoints, settings: Settings, folder: Path, series: set[str]) -> None:
    """Measure the series."""
    script = folder / "register.ipy"
    script.write_text(REGISTER)
    subprocess.run([sys.executable, "-m", "IPython", script], env=dict(os.environ), check=True, capture_output=True)
    bench = Bench(where, settings, "speaks/speaks")
    if "flood" in series:
        ours = flood(bench, where)
        report("log-keep.flood", ours, peer(where, settings, folder) if "peer" in series else None, unit="lines/s", n=1)
    if "killed" in series:
        killed(bench)
    if "stopped" in series:
        stopped(bench, settings)


if __name__ == "__main__":
    with own_stack() as (where, settings), TemporaryDirectory() as folder:
        main(where, settings, Path(folder), set(sys.argv[1:]) or {"flood", "killed", "stopped"})
