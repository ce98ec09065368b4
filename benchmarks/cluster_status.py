"""What a cluster's status costs its Dask scheduler, and how long it takes to be had, with 1, 10 and 100 Dask workers.

The scheduler is a process of its own and so are all workers together: real `distributed.Worker`s with their heartbeats, which
hold the results of a thousand tasks. The cost is the scheduler's CPU time for each sample, less what it uses meanwhile for
itself, as a share of one core at one sample a second, which is how often SatFlow asks. The peer is what Dask has for the same
purpose, `Client.scheduler_info(n_workers=-1)`, which tells of workers only: neither of tasks by state nor of what happened.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from distributed import Client
from figure import p50, report

from satflow_ext.clusters.sample import SchedulerProbe

SIZES = (1, 10, 100)
EVERY, SAMPLES = 0.05, 240
KEPT = 1_000

WORKERS = """
import asyncio, sys
from distributed import Worker

async def main():
    address, number = sys.argv[1], int(sys.argv[2])
    workers = [Worker(address, nthreads=1, name=str(n), host="127.0.0.1", dashboard=False) for n in range(number)]
    await asyncio.gather(*workers)
    await asyncio.gather(*(worker.finished() for worker in workers))

asyncio.run(main())
"""


@contextmanager
def cluster(number: int, folder: Path) -> Iterator[tuple[Client, psutil.Process]]:
    """A dask client of a cluster with that many workers, and its scheduler's process."""
    file = folder / f"{number}.json"
    options = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)]
    quiet: dict[str, Any] = {"stderr": subprocess.DEVNULL, "cwd": folder}
    scheduler = subprocess.Popen([sys.executable, "-m", "dask", "scheduler", *options], **quiet)
    while not file.exists():
        time.sleep(0.1)
    address = json.loads(file.read_text())["address"]
    workers = subprocess.Popen([sys.executable, "-c", WORKERS, address, str(number)], **quiet)
    try:
        with Client(address, set_as_default=False) as client:
            client.wait_for_workers(number, timeout=120)
            held = client.map(abs, range(KEPT), pure=False)
            client.gather(held)
            yield client, psutil.Process(scheduler.pid)
    finally:
        for process in (workers, scheduler):
            process.terminate()
            process.wait()


def used(scheduler: psutil.Process) -> float:
    """Seconds of CPU so far."""
    times = scheduler.cpu_times()
    return float(times.user + times.system)


def measured(client: Client, scheduler: psutil.Process, ask: Callable[[], Awaitable[object]]) -> tuple[float, float]:
    """Milliseconds of the scheduler's CPU in all, and of waiting for one answer."""

    async def sampling() -> list[float]:
        waits = []
        for _ in range(SAMPLES):
            begun = time.perf_counter()
            await ask()
            waits.append(1000 * (time.perf_counter() - begun))
            await asyncio.sleep(max(0.0, EVERY - (time.perf_counter() - begun)))
        return waits

    client.sync(ask)
    before = used(scheduler)
    waits = client.sync(sampling)
    return 1000 * (used(scheduler) - before), p50(waits)


async def nothing() -> None:
    """What the scheduler uses for itself."""


def main() -> None:
    """Measure all sizes, one cluster after the other."""
    with tempfile.TemporaryDirectory(prefix="sf-") as folder:
        for number in SIZES:
            with cluster(number, Path(folder)) as (client, scheduler):
                idle, _ = measured(client, scheduler, nothing)
                ours, our_wait = measured(client, scheduler, SchedulerProbe(client.scheduler).take_sample)
                peer, peer_wait = measured(client, scheduler, lambda c=client: c.scheduler.identity(n_workers=-1))
            share = [max(0.0, each - idle) / SAMPLES / 10 for each in (ours, peer)]
            report(f"cluster-status.cpu@{number}", share[0], share[1], unit="%", n=SAMPLES)
            report(f"cluster-status.latency@{number}", our_wait, peer_wait, n=SAMPLES)


if __name__ == "__main__":
    main()
