"""A no-op task on a Dask cluster: our task runner, `prefect_dask.DaskTaskRunner`, and Dask's own `client.map`, on one cluster.

A flow maps a task over n numbers and asks for all results. Before the clock starts the cluster has run a few such tasks, so
that nobody pays for imports; it stops when the flow has the results. Prefect's server is the local stack's, on this machine:
it takes the tasks' events in meanwhile, and has done so before the next measurement begins.

At 10,000 the peer would take a quarter of an hour: its figure there is that of 1,000 tasks, per task.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from uuid import UUID

import psutil
from distributed import Client, LocalCluster
from figure import p50, report
from places import own_stack
from prefect import flow, task
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId, TaskRunFilter, TaskRunFilterStateType
from prefect.context import FlowRunContext
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings
from prefect_dask import DaskTaskRunner

from satflow_ext.dask_tasks.runner import FastDaskTaskRunner

FEW, MANY, MOST = 200, 1_000, 10_000
TIMES = {FEW: 3, MANY: 3, MOST: 1}
WARM = 8


def nothing(number: int) -> int:
    """A task that costs nothing itself."""
    return number


def measured(runner: DaskTaskRunner, n: int) -> float:
    """Milliseconds per task."""

    @flow(task_runner=runner)
    def maps() -> tuple[UUID, float]:
        noop = task(nothing)
        noop.map(range(WARM)).result()
        start = time.perf_counter()
        assert noop.map(range(n)).result() == list(range(n))
        return FlowRunContext.get().flow_run.id, 1000 * (time.perf_counter() - start) / n

    run_id, taken = maps()
    _settle(run_id, n + WARM)
    return taken


def raw(client: Client, n: int) -> float:
    """Milliseconds per call of Dask's own."""
    client.gather(client.map(nothing, range(WARM), pure=False))
    start = time.perf_counter()
    assert client.gather(client.map(nothing, range(n), pure=False)) == list(range(n))
    return 1000 * (time.perf_counter() - start) / n


def _settle(run_id: UUID, n: int) -> None:
    """Wait until Prefect's server knows the end of each task run: none may be lost."""
    of_run = FlowRunFilter(id=FlowRunFilterId(any_=[run_id]))
    completed = TaskRunFilter(state={"type": TaskRunFilterStateType(any_=["COMPLETED"])})
    with get_client(sync_client=True) as client:
        deadline = time.monotonic() + 60 + n / 5
        while (known := client._client.post("/task_runs/count", json=_json(of_run, completed)).json()) < n:
            assert time.monotonic() < deadline, f"Prefect knows the end of {known} of {n} task runs"
            time.sleep(1)


def _json(flow_runs: FlowRunFilter, task_runs: TaskRunFilter) -> dict[str, object]:
    return {"flow_runs": flow_runs.model_dump(mode="json"), "task_runs": task_runs.model_dump(mode="json")}


def _memory() -> str:
    """Of this process and of the Dask workers, in MiB."""
    processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
    return " ".join(str(process.memory_info().rss // 2**20) for process in processes)


def several(n: int, *ways: Callable[[int], float]) -> list[float]:
    """The median of each way, measured in turns."""
    rounds = [[way(n) for way in ways] for _ in range(TIMES[n])]
    print(f"{n}: {rounds}, MiB {_memory()}", file=sys.stderr)
    return [p50(taken) for taken in zip(*rounds, strict=True)]


def main() -> None:
    """Measure all, side by side."""
    options = {"n_workers": 2, "threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": None}
    with LocalCluster(**options) as cluster, Client(cluster) as client:
        address = cluster.scheduler_address

        def ours(n: int) -> float:
            return measured(FastDaskTaskRunner(address=address), n)

        def stock(n: int) -> float:
            return measured(DaskTaskRunner(address=address), n)

        def dask(n: int) -> float:
            return raw(client, n)

        few = several(FEW, ours, stock, dask)
        many = several(MANY, ours, dask)
        peer = stock(MANY)
        (most,) = several(MOST, ours)
    report("dask-tasks.200", few[0], few[1], n=TIMES[FEW])
    report("dask-tasks.1000", many[0], peer, n=TIMES[MANY])
    report("dask-tasks.10000", most, peer, n=TIMES[MOST])
    report("dask-tasks.1000@raw", many[0], many[1], n=TIMES[MANY])


if __name__ == "__main__":
    with own_stack() as (where, _):
        api = {PREFECT_API_URL: where.prefect.url, PREFECT_API_AUTH_STRING: where.prefect.auth_string}
        with temporary_settings(api):
            main()
