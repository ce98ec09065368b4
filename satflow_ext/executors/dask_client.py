"""Executor `dask-client`: tasks run in threads of the flow run and use its Dask cluster for arrays, tables and futures."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import Field, model_validator

from satflow_ext.executors.dask_address import ADDRESS, CONNECT_SECONDS, EXAMPLE, START_TIMEOUT, locate_scheduler
from satflow_ext.executors.dask_local import DaskLocalOptions, check_size, cluster_arguments, start_local_cluster
from satflow_ext.executors.executor import DASK_PACKAGES, Executor, ExecutorOptions
from satflow_ext.executors.machine_size import Machine
from satflow_ext.executors.scheduler_reachability import require_scheduler
from satflow_ext.settings import Settings

if TYPE_CHECKING:
    from distributed import Client
    from prefect.task_runners import TaskRunner

    from satflow_ext.executors.flow_cluster import ClientOpener


DEFAULT_WORKERS = 2
"""Default number of Dask workers."""


class DaskClientOptions(ExecutorOptions):
    """A new cluster for the run, or an existing one."""

    n_workers: int | None = Field(None, ge=1, le=256, title="Workers", description=f"Default: {DEFAULT_WORKERS}.")
    threads_per_worker: int | None = Field(
        None, ge=1, le=256, title="Threads per worker", description="Default: the cores of the worker size, or 1."
    )
    worker_size: str | None = Field(
        None, title="Worker size", description="Default: an equal share of the machine's memory."
    )
    address: str | None = Field(
        None,
        pattern=ADDRESS,
        title="Scheduler address",
        description=f"Use an existing cluster instead of a new one for the run. {EXAMPLE}",
    )
    start_timeout: float = Field(**START_TIMEOUT)

    @model_validator(mode="before")
    @classmethod
    def _set_default_workers(cls, given: Any) -> Any:
        """Fill in the default number of workers of a new cluster, so that it can be displayed."""
        if isinstance(given, dict) and given.get("address") is None and given.get("n_workers") is None:
            return {**given, "n_workers": DEFAULT_WORKERS}
        return given

    @model_validator(mode="after")
    def _refuse_two_clusters(self) -> DaskClientOptions:
        if self.address is not None and _given_local_options(self):
            raise ValueError(
                f"an existing cluster has its own workers; leave out {', '.join(_given_local_options(self))}"
            )
        return self


def create_task_runner(options: DaskClientOptions, settings: Settings) -> TaskRunner[Any]:
    """Create Prefect's thread pool with a Dask cluster for the code of the tasks."""
    from satflow_ext.executors.flow_cluster import DaskClientTaskRunner

    return DaskClientTaskRunner(_client_opener(options, settings))


def _client_opener(options: DaskClientOptions, settings: Settings) -> ClientOpener:
    if options.address is not None:
        return partial(_connect_to_cluster, options.address, options.start_timeout)
    return partial(_start_cluster, cluster_arguments(_local_options(options), settings))


@contextmanager
def _start_cluster(arguments: dict[str, Any]) -> Iterator[Client]:
    """Start a cluster that ends with the block, and return its client."""
    with start_local_cluster(**arguments) as cluster, _open_client(cluster) as client:
        yield client


@contextmanager
def _connect_to_cluster(address: str, start_timeout: float) -> Iterator[Client]:
    """Connect to an existing cluster, which keeps running after the block."""
    from satflow_ext.dask_tasks.first_worker import wait_for_worker

    require_scheduler(address)
    with _open_client(address) as client:
        wait_for_worker(client, time.monotonic() + start_timeout, start_timeout)
        yield client


def _open_client(cluster: Any) -> Client:
    from distributed import Client

    return Client(cluster, timeout=CONNECT_SECONDS)  # type: ignore[no-untyped-call]  # distributed is typed in part


def check_machine(options: DaskClientOptions, settings: Settings, machine: Machine) -> None:
    """Refuse more workers of a size than this machine has memory and GPUs for."""
    if options.address is None:
        check_size(_local_options(options), settings, machine)


def _local_options(options: DaskClientOptions) -> DaskLocalOptions:
    return DaskLocalOptions(**{name: getattr(options, name) for name in _given_local_options(options)})


def _given_local_options(options: DaskClientOptions) -> list[str]:
    """List the given options that apply to a new cluster."""
    return [name for name in DaskLocalOptions.model_fields if getattr(options, name) is not None]


DASK_CLIENT = Executor(
    name="dask-client",
    title="Dask inside tasks",
    purpose="arrays, tables and models that tasks compute with Dask",
    starts="in seconds",
    options=DaskClientOptions,
    create_task_runner=create_task_runner,
    check_machine=check_machine,
    packages=DASK_PACKAGES,
    locate_cluster=locate_scheduler,
)
