"""Tasks run on a Dask cluster that somebody else runs and many share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from satflow_ext.executors.base import DASK, Executor, Options
from satflow_ext.settings import Settings

if TYPE_CHECKING:
    from prefect.task_runners import TaskRunner


ADDRESS = r"^(tcp|tls|ws|wss|ucx)://[^\s/@]+:\d{1,5}(/.*)?$"
EXAMPLE = "For example tcp://scheduler.example:8786."
CONNECT_SECONDS = 10
START_TIMEOUT: dict[str, Any] = {
    "default": 300,
    "ge": 1,
    "le": 86400,
    "title": "Start time-out",
    "description": "Seconds to wait where the scheduler has no Dask worker.",
}
"""The field of that name."""


class DaskAddressOptions(Options):
    """Which scheduler to use."""

    address: str = Field(
        pattern=ADDRESS,
        title="Scheduler address",
        description=EXAMPLE,
    )
    start_timeout: float = Field(**START_TIMEOUT)


def task_runner(options: DaskAddressOptions, settings: Settings) -> TaskRunner[Any]:
    """A Dask task runner that connects to that scheduler."""
    from satflow_ext.dask_tasks.runner import FastDaskTaskRunner

    return FastDaskTaskRunner(address=options.address, client_kwargs={"timeout": CONNECT_SECONDS})


DASK_ADDRESS = Executor(
    name="dask-address",
    title="Dask cluster by address",
    purpose="a cluster that is already there",
    starts="at once",
    options=DaskAddressOptions,
    task_runner=task_runner,
    packages=DASK,
)
