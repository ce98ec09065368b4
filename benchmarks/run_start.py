"""Run → first user line executes: the local stack, and what a user would pick instead.

The peers are a stock process worker at its defaults, one that is tuned (it polls each second, and starts runs by Prefect's engine
alone), and `flow.serve()`. `@pandas` is a flow that imports pandas, `@dask` the first task of a flow with two new Dask workers,
with the executor `dask-local` and with the task runner of prefect-dask.

Before the measured runs of a deployment, one run is not measured.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from figure import p50, p99, report
from places import own_stack, prefect_environment, stop_peer

from satflow_ext.endpoints import Endpoints
from satflow_ext.prefect_api import prefect_client

RUNS = 7
LONG_RUNS = 5
"""Number of measured runs where each takes long."""

FLOW = """
import time
from pathlib import Path
from prefect import flow, task

@flow
def first_line(mark: str):
    Path(mark).write_text(repr(time.time()))

@flow
def with_pandas(mark: str):
    import pandas
    Path(mark).write_text(repr(time.time()))

@task
def write(mark):
    Path(mark).write_text(repr(time.time()))

{dask}
def first_task(mark: str):
    write.submit(mark).result()
"""

PLAIN_FLOW = "@flow"
DASK_FLOW = """
from prefect_dask import DaskTaskRunner

@flow(task_runner=DaskTaskRunner(cluster_kwargs={"n_workers": 2, "threads_per_worker": 1}))
"""

SERVE = """
if __name__ == "__main__":
    first_line.serve(name="served")
"""

REGISTER = """
import satflow_ext
{flow}
satflow_ext.register(first_line)
satflow_ext.register(with_pandas)
satflow_ext.register(first_task, executor="dask-local", n_workers=2)
"""


LONG_FLOWS = {"with-pandas": "pandas", "first-task": "dask"}
"""Flows whose runs take long, and the last parts of the names of their figures."""


def seconds_to_first_line(where: Endpoints, deployment: str, folder: Path, runs: int = RUNS) -> list[float]:
    """Of each run, one after the other: from asking for it to its first line. The first one is left out."""
    return [_one(where, deployment, folder / str(uuid4())) for _ in range(runs + 1)][1:]


def _one(where: Endpoints, deployment: str, mark: Path) -> float:
    start = time.time()
    request_run(where, deployment, mark)
    deadline = start + 90
    while not mark.exists() or not mark.read_text():
        assert time.time() < deadline, f"{deployment} did not run"
        time.sleep(0.01)
    time.sleep(3)  # let the run end, and the worker's poll fall anywhere
    return float(mark.read_text()) - start


def request_run(where: Endpoints, deployment: str, mark: Path) -> None:
    """Start a run of a deployment whose flow writes to a file."""
    asyncio.run(_start(where, deployment, mark))


async def _start(where: Endpoints, deployment: str, mark: Path) -> None:
    async with prefect_client(where.prefect) as client:
        row = await client.read_deployment_by_name(*deployment.split("/"))
        await client.create_flow_run(row.id, {"mark": str(mark)}, None)


@contextmanager
def process(command: list[str], environment: dict[str, str], folder: Path) -> Iterator[None]:
    """A process that serves while the block runs."""
    with (folder / "peer.log").open("ab") as log:
        serving = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)
        try:
            yield
        finally:
            stop_peer(serving)


def wait_for(where: Endpoints, deployment: str) -> None:
    """Wait until a deployment is there."""

    async def there() -> bool:
        async with prefect_client(where.prefect) as client:
            return deployment in {d.name for d in await client.read_deployments(limit=200)}

    while not asyncio.run(there()):
        time.sleep(0.3)


def main(where: Endpoints, folder: Path) -> None:
    """Measure all, one after the other."""
    environment = prefect_environment(where)
    prefect = [sys.executable, "-m", "prefect"]
    (folder / "flows.py").write_text(FLOW.replace("{dask}", DASK_FLOW) + SERVE)
    script = folder / "register.ipy"
    script.write_text(REGISTER.replace("{flow}", FLOW.replace("{dask}", PLAIN_FLOW)))
    subprocess.run([sys.executable, "-m", "IPython", script], env=dict(os.environ), check=True, capture_output=True)
    ours = seconds_to_first_line(where, "first-line/first-line", folder)
    our_long = {name: seconds_to_first_line(where, f"{name}/{name}", folder, LONG_RUNS) for name in LONG_FLOWS}

    subprocess.run([*prefect, "work-pool", "create", "stock", "--type", "process"], env=environment, check=True)
    deploy = [*prefect, "--no-prompt", "deploy", "flows.py:first_line", "--name", "stock", "--pool", "stock"]
    for name in ("first-line", *LONG_FLOWS):
        entrypoint = f"flows.py:{name.replace('-', '_')}"
        command = [*prefect, "--no-prompt", "deploy", entrypoint, "--name", "stock", "--pool", "stock"]
        subprocess.run(command, env=environment, cwd=folder, check=True, capture_output=True)
    with process([*prefect, "worker", "start", "--pool", "stock"], environment, folder):
        time.sleep(10)
        worker = seconds_to_first_line(where, "first-line/stock", folder)
        long = {name: seconds_to_first_line(where, f"{name}/stock", folder, LONG_RUNS) for name in LONG_FLOWS}
    engine = ["--name", "tuned", "--job-variable", f"command={sys.executable} -m prefect.engine"]
    subprocess.run([*deploy[:-4], *engine, *deploy[-2:]], env=environment, cwd=folder, check=True, capture_output=True)
    polling = {**environment, "PREFECT_WORKER_QUERY_SECONDS": "1"}
    with process([*prefect, "worker", "start", "--pool", "stock"], polling, folder):
        time.sleep(10)
        tuned = seconds_to_first_line(where, "first-line/tuned", folder)
    with process([sys.executable, "flows.py"], environment, folder):
        wait_for(where, "served")
        time.sleep(5)
        served = seconds_to_first_line(where, "first-line/served", folder)
    report("run-start.p50", 1000 * p50(ours), 1000 * p50(worker), n=RUNS)
    report("run-start.p99", 1000 * p99(ours), 1000 * p99(worker), n=RUNS)
    report("run-start.p50@tuned", 1000 * p50(ours), 1000 * p50(tuned), n=RUNS)
    report("run-start.p50@serve", 1000 * p50(ours), 1000 * p50(served), n=RUNS)
    for name, label in LONG_FLOWS.items():
        report(f"run-start.p50@{label}", 1000 * p50(our_long[name]), 1000 * p50(long[name]), n=LONG_RUNS)


if __name__ == "__main__":
    with own_stack() as (where, _), TemporaryDirectory() as folder:
        main(where, Path(folder))
