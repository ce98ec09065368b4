"""The task runner that a flow names, and the equivalent executor."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Any

from prefect.task_runners import ProcessPoolTaskRunner, ThreadPoolTaskRunner

from satflow_ext.kernel.flow_discovery import AnyFlow
from satflow_ext.models import ExecutorChoice, FlowTaskRunner, JsonObject

CLIENT_DEFAULTS = {"set_as_default": False}
"""Default of `DaskTaskRunner.client_kwargs`."""


def describe_task_runner(flow: AnyFlow) -> FlowTaskRunner | None:
    """Describe a flow's task runner; None if the flow names none, and so uses Prefect's default thread pool."""
    runner: Any = flow.task_runner
    kind = type(runner)
    if kind is ThreadPoolTaskRunner and _max_workers(runner) == _max_workers(ThreadPoolTaskRunner()):
        return None
    same = _EXECUTORS.get((kind.__module__.partition(".")[0], kind.__qualname__))
    executor = same(runner) if same else None
    return FlowTaskRunner(text=f"{kind.__qualname__}({executor.arguments if executor else ''})", executor=executor)


def _threads_executor(runner: Any) -> ExecutorChoice:
    return ExecutorChoice(name="threads", options={"max_workers": _max_workers(runner)})


def _processes_executor(runner: Any) -> ExecutorChoice | None:
    if getattr(runner, "_initializer", None) is not None:
        return None
    usual = _max_workers(runner) == _max_workers(ProcessPoolTaskRunner())
    return ExecutorChoice(name="processes", options={} if usual else {"max_workers": _max_workers(runner)})


def _dask_executor(runner: Any) -> ExecutorChoice | None:
    if runner.client_kwargs != CLIENT_DEFAULTS or runner.adapt_kwargs or runner.performance_report_path:
        return None
    if runner.address:
        return ExecutorChoice(name="dask-address", options={"address": str(runner.address)})
    if not _is_local_cluster(runner.cluster_class) or not runner.cluster_kwargs.keys() <= _LOCAL_CLUSTER_OPTIONS:
        return None
    return ExecutorChoice(name="dask-local", options=_local_cluster_size(runner.cluster_kwargs))


def _is_local_cluster(cluster_class: Any) -> bool:
    from distributed import LocalCluster

    return cluster_class in (None, LocalCluster, "distributed.LocalCluster", "dask.distributed.LocalCluster")


def _local_cluster_size(given: dict[str, Any]) -> JsonObject:
    """Return workers and threads, with the defaults of `LocalCluster` on this machine."""
    from dask.system import CPU_COUNT
    from distributed.deploy.utils import nprocesses_nthreads

    n_workers: Any = given.get("n_workers")
    threads: Any = given.get("threads_per_worker")
    if n_workers is None and threads is None:
        n_workers, threads = nprocesses_nthreads()  # type: ignore[no-untyped-call]  # distributed is typed in part
    elif n_workers is None:
        n_workers = max(1, CPU_COUNT // threads)
    elif threads is None:
        threads = max(1, ceil(CPU_COUNT / n_workers))
    return {"n_workers": n_workers, "threads_per_worker": threads}


def _ray_executor(runner: Any) -> ExecutorChoice | None:
    if not runner.init_kwargs.keys() <= {"num_cpus"}:
        return None
    return ExecutorChoice(name="ray", options=_without_none(address=runner.address, **runner.init_kwargs))


def _max_workers(runner: Any) -> Any:
    """Return the number of workers, for which Prefect has no public attribute."""
    return runner._max_workers


def _without_none(**options: Any) -> JsonObject:
    return {name: value for name, value in options.items() if value is not None}


_LOCAL_CLUSTER_OPTIONS = {"n_workers", "threads_per_worker"}
_EXECUTORS: dict[tuple[str, str], Callable[[Any], ExecutorChoice | None]] = {
    ("prefect", "ThreadPoolTaskRunner"): _threads_executor,
    ("prefect", "ProcessPoolTaskRunner"): _processes_executor,
    ("prefect_dask", "DaskTaskRunner"): _dask_executor,
    ("prefect_ray", "RayTaskRunner"): _ray_executor,
}
"""Keyed by package and class name, so that none of the packages must be imported."""
