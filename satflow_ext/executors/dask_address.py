"""Executor `dask-address`: tasks run on an existing Dask cluster, which other users may share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from satflow_ext.executors.executor import DASK_PACKAGES, ClusterLocation, Executor, ExecutorOptions, text_option
from satflow_ext.models import JsonObject
from satflow_ext.settings import Settings

if TYPE_CHECKING:
    from prefect.task_runners import TaskRunner


ADDRESS = r"^(tcp|tls|ws|wss|ucx)://[^\s/@]+:\d{1,5}(/.*)?$"
EXAMPLE = "Example: tcp://scheduler.example:8786."
CONNECT_SECONDS = 10
START_TIMEOUT: dict[str, Any] = {
    "default": 300,
    "ge": 1,
    "le": 86400,
    "title": "Start timeout",
    "description": "Seconds to wait for a Dask worker if the scheduler has none.",
}
"""Definition of the field `start_timeout`."""


class DaskAddressOptions(ExecutorOptions):
    """The scheduler to use."""

    address: str = Field(
        pattern=ADDRESS,
        title="Scheduler address",
        description=EXAMPLE,
    )
    start_timeout: float = Field(**START_TIMEOUT)


def create_task_runner(options: DaskAddressOptions, settings: Settings) -> TaskRunner[Any]:
    """Create a Dask task runner that connects to the scheduler."""
    from satflow_ext.dask_tasks.runner import FastDaskTaskRunner

    return FastDaskTaskRunner(address=options.address, client_kwargs={"timeout": CONNECT_SECONDS})


def locate_scheduler(options: JsonObject) -> ClusterLocation | None:
    """Return the location of the cluster at the address, or None without an address."""
    address = text_option(options, "address")
    return None if address is None else ClusterLocation(address=address)


DASK_ADDRESS = Executor(
    name="dask-address",
    title="Existing cluster",
    purpose="a Dask cluster that is already running",
    starts="at once",
    options=DaskAddressOptions,
    create_task_runner=create_task_runner,
    packages=DASK_PACKAGES,
    locate_cluster=locate_scheduler,
)
