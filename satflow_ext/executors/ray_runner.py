"""Prefect's task runner for Ray, with a Ray that is private, and whose absence fails the flow run in words."""

from __future__ import annotations

import logging
import os
import shutil
import socket
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import prefect_ray
import ray
from prefect.task_runners import TaskRunner

from satflow_ext import scratch
from satflow_ext.dask_tasks.carried import Carried
from satflow_ext.errors import ClusterFailed
from satflow_ext.executors import ray_environment, ray_reach
from satflow_ext.executors.flow_cluster import MayHaveNone
from satflow_ext.redaction import guard, policy

CONNECT_SECONDS = 10.0
ATTEMPTS = 3
GUARD = f"{guard.MODULE}.{guard.guard.__name__}"
FIX = (
    "See that it runs, that flow runs reach it, that it has the flow's Python and Ray, and, where it asks for a token, that "
    f"{ray_environment.TOKEN} is among the flow's secrets."
)


class FlowRayTaskRunner(MayHaveNone, prefect_ray.RayTaskRunner):  # type: ignore[misc]  # an extra, which mypy need not find
    """Prefect's `RayTaskRunner`, whose Ray is there from before the flow's first line until after its last.

    A Ray of the run's own listens on loopback, asks for a token, and leaves no files. What keeps a run from having one is kept
    for the flow to raise (`flow_cluster.failing_first`): an exception here would be taken for a crash of the engine.

    Args:
        address: of a cluster that is there, `ray://host:port`; None for a Ray of the run's own.
        num_cpus: of the run's own; None for the machine's cores.
        carried: what has to be on the disks of a cluster that is there.
    """

    def __init__(self, address: str | None = None, num_cpus: int | None = None, carried: Carried | None = None) -> None:
        super().__init__(address=address)
        self.num_cpus = num_cpus
        self.carried = carried
        self._ending = ExitStack()

    def duplicate(self) -> FlowRayTaskRunner:
        """A new instance with the same settings, which is what Prefect's engine enters."""
        return FlowRayTaskRunner(self.address, self.num_cpus, self.carried)

    def __enter__(self) -> FlowRayTaskRunner:
        TaskRunner.__enter__(self)
        if ray.is_initialized():  # in a task, or by the flow's own cells
            return self
        with ExitStack() as resources:
            try:
                self._join(resources) if self.address else self._start(resources)
            except Exception as error:  # kept for the flow to raise
                self._failure = error
            else:
                self._ending = resources.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._ending:
            TaskRunner.__exit__(self, kind, error, trace)

    def _start(self, resources: ExitStack) -> None:
        folder = scratch.make_for_sockets()
        resources.callback(shutil.rmtree, folder, ignore_errors=True)
        resources.callback(ray.shutdown)
        runtime = {"worker_process_setup_hook": GUARD} if guard.needed() else None
        try:
            ray.init(
                "local",
                num_cpus=self.num_cpus,
                include_dashboard=False,
                namespace="prefect",
                runtime_env=runtime,
                logging_level=logging.WARNING,
                _temp_dir=str(folder / "ray"),  # which Ray opens to everybody: nobody else gets at the one around it
            )
        except Exception as error:
            raise ClusterFailed(
                f"Ray does not start: {_last_line(error)}.", fix="See what this machine lacks."
            ) from error

    def _join(self, resources: ExitStack) -> None:
        where = urlsplit(self.address)
        try:
            socket.create_connection((where.hostname, where.port or 0), CONNECT_SECONDS).close()
        except OSError as error:
            said = f"The Ray cluster at {self.address} cannot be reached: {error.strerror or error}."
            raise ClusterFailed(said, fix=FIX) from None
        resources.callback(ray.shutdown)
        try:
            _connect(self.address, namespace="prefect", runtime_env=self._there(), logging_level=logging.WARNING)
        except Exception as error:
            said = f"The Ray cluster at {self.address} cannot be used: {_last_line(error)}."
            raise ClusterFailed(said, fix=FIX) from None
        ray_reach.need_prefect(self.address)

    def _there(self) -> dict[str, Any]:
        """What its workers are given: data files and modules, and how much is told of what happens to tasks. No secret."""
        told = {"env_vars": {policy.VARIABLE: os.environ[policy.VARIABLE]}} if policy.VARIABLE in os.environ else {}
        hook = {"worker_process_setup_hook": GUARD} if policy.of_this_process() != "everything" else {}
        return {**told, **hook, **({"working_dir": str(staged)} if (staged := self._staged()) else {})}

    def _staged(self) -> Path | None:
        """A folder of just what the flow has brought along."""
        if self.carried is None:
            return None
        contents = {**self.carried.file_contents(), **self.carried.module_contents()}
        folder = self.carried.folder / "satflow_for_ray"
        for place, content in contents.items():
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            (folder / place).write_bytes(content)
        return folder if contents else None


def _connect(address: str, **options: Any) -> None:
    """Ray's server forks a process for each client, with threads of gRPC's beside: now and then one dies in it."""
    for _ in range(ATTEMPTS - 1):
        try:
            ray.init(address, **options)
        except ConnectionAbortedError:
            ray.shutdown()
        else:
            return
    ray.init(address, **options)


def _last_line(error: Exception) -> str:
    """Some of Ray's exceptions hold the traceback of another process."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[-1].strip().rstrip(".")
