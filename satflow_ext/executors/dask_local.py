"""Executor `dask-local`: tasks run on a Dask cluster for this run alone, on the machine of the flow run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from satflow_ext.cluster_providers.dask_defaults import NO_HTTP_ROUTES
from satflow_ext.executors import dask_processes, worker_sizes
from satflow_ext.executors.executor import DASK_PACKAGES, Executor, ExecutorOptions
from satflow_ext.executors.machine_size import Machine
from satflow_ext.redaction import guard
from satflow_ext.settings import Settings

if TYPE_CHECKING:
    from prefect.task_runners import TaskRunner


class DaskLocalOptions(ExecutorOptions):
    """The number and size of the Dask workers."""

    n_workers: int = Field(2, ge=1, le=256, title="Workers")
    threads_per_worker: int | None = Field(
        None, ge=1, le=256, title="Threads per worker", description="Default: the cores of the worker size, or 1."
    )
    worker_size: str | None = Field(
        None, title="Worker size", description="Default: an equal share of the machine's memory."
    )


def create_task_runner(options: DaskLocalOptions, settings: Settings) -> TaskRunner[Any]:
    """Create a Dask task runner that starts its own cluster: loopback only, TLS between all parts, no dashboard."""
    from satflow_ext.dask_tasks.runner import FastDaskTaskRunner

    return FastDaskTaskRunner(cluster_class=start_local_cluster, cluster_kwargs=cluster_arguments(options, settings))


def cluster_arguments(options: DaskLocalOptions, settings: Settings) -> dict[str, Any]:
    """Return keyword arguments of `distributed.LocalCluster`. Memory limits are bytes; `auto` shares the machine's memory."""
    size = worker_sizes.find_size(options.worker_size, settings) if options.worker_size else None
    return {
        "n_workers": options.n_workers,
        "threads_per_worker": options.threads_per_worker or (size.cores if size else 1),
        "memory_limit": worker_sizes.memory_bytes(size) if size else "auto",
        "host": "127.0.0.1",
        "dashboard_address": "127.0.0.1:0",
        **({"resources": {"GPU": size.gpus}} if size and size.gpus else {}),
        "scheduler_kwargs": {"dashboard": False},
        "security": True,
    }


def start_local_cluster(**arguments: Any) -> Any:
    """Start a `distributed.LocalCluster` that serves nothing over HTTP."""
    import dask
    from distributed import LocalCluster

    dask.config.set(NO_HTTP_ROUTES)
    if guard.is_redaction_needed():
        dask.config.set({"distributed.worker.preload": [guard.MODULE]})
    dask_processes.fork_dask_workers()
    cluster = LocalCluster(**arguments)  # type: ignore[no-untyped-call]  # distributed is typed in part
    dask_processes.record_variables(cluster)
    return cluster


def check_size(options: DaskLocalOptions, settings: Settings, machine: Machine) -> None:
    """Refuse more workers of a size than this machine has memory and GPUs for."""
    if options.worker_size:
        worker_sizes.check_fits(options.worker_size, options.n_workers, settings, machine)


DASK_LOCAL = Executor(
    name="dask-local",
    title="Dask on this machine",
    purpose="parallel work on one machine",
    starts="in seconds",
    options=DaskLocalOptions,
    create_task_runner=create_task_runner,
    check_machine=check_size,
    packages=DASK_PACKAGES,
)
