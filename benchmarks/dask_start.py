"""A flow's first line → the result of its first task, on a Dask cluster of its own with two workers on this machine.

Ours is the executor `dask-local` in the local stack. The peer is the same flow with Prefect's Dask task runner, which starts a
`LocalCluster`, run as a script. Both report to the local stack's Prefect server, and are measured in turns.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from figure import p50, report
from places import own_stack, prefect_environment
from run_start import request_run

from satflow_ext.endpoints import Endpoints

RUNS = 7

FLOW = """
import time
from pathlib import Path
from prefect import flow, task

@task
def double(number):
    return 2 * number

@flow
def first_task(mark: str):
    begun = time.perf_counter()
    assert double.submit(1).result() == 2
    part = Path(mark).with_suffix(".part")
    part.write_text(repr(time.perf_counter() - begun))
    part.rename(mark)
"""

REGISTER = f"""
import satflow_ext
{FLOW}
satflow_ext.register(first_task, executor="dask-local", n_workers=2)
"""

PEER = f"""
import sys
from prefect_dask import DaskTaskRunner
{FLOW}
if __name__ == "__main__":
    cluster = {{"n_workers": 2, "threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": None}}
    first_task.with_options(task_runner=DaskTaskRunner(cluster_kwargs=cluster))(sys.argv[1])
"""


def measured(start: Callable[[Path], object], folder: Path) -> float:
    """Milliseconds, as the flow has written them to the file that it is given."""
    mark = folder / str(time.monotonic_ns())
    start(mark)
    deadline = time.monotonic() + 180
    while not mark.exists():
        assert time.monotonic() < deadline, "the flow did not run"
        time.sleep(0.05)
    return 1000 * float(mark.read_text())


def main(where: Endpoints, folder: Path) -> None:
    """Measure both, in turns, after one run of each."""
    script, peer = folder / "register.ipy", folder / "peer.py"
    script.write_text(REGISTER)
    peer.write_text(PEER)
    subprocess.run([sys.executable, "-m", "IPython", script], env=dict(os.environ), check=True, capture_output=True)
    environment = prefect_environment(where)

    def ours(mark: Path) -> None:
        request_run(where, "first-task/first-task", mark)

    def stock(mark: Path) -> None:
        subprocess.run([sys.executable, peer, mark], env=environment, check=True, capture_output=True)

    rounds = []
    for _ in range(RUNS + 1):
        rounds.append((measured(ours, folder), measured(stock, folder)))
        time.sleep(5)  # let the run end; the first one makes the template for Dask workers start
    print(rounds, file=sys.stderr)
    own, peers = zip(*rounds[1:], strict=True)
    report("dask-start.first-task", p50(own), p50(peers), n=RUNS)


if __name__ == "__main__":
    with own_stack() as (where, _), TemporaryDirectory() as folder:
        main(where, Path(folder))
