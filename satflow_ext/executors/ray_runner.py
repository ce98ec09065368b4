"""Prefect's task runner for Ray, with a private Ray instance and readable errors if Ray is not available."""

from __future__ import annotations

import logging
import os
import shutil
import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import prefect_ray
import ray
from prefect.task_runners import TaskRunner
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from satflow_ext import scratch
from satflow_ext.dask_tasks.prefect_from_there import CONNECT_TIMEOUT, find_loopback_api
from satflow_ext.dask_tasks.run_files import RunFiles
from satflow_ext.errors import ClusterFailed
from satflow_ext.executors import ray_environment
from satflow_ext.executors.flow_cluster import DeferredFailureMixin
from satflow_ext.redaction import policy

CONNECT_SECONDS = 10.0
ATTEMPTS = 3
WORKER_HOOK = f"{ray_environment.__name__}.{ray_environment.prepare_worker.__name__}"
FIX = (
    "Check that it is running, that flow runs can reach it, that it has the flow's versions of Python and Ray, and, if it "
    f"requires a token, that {ray_environment.TOKEN_VARIABLE} is among the flow's secrets."
)
START_TIMED_OUT = "timed out during startup"
"""Part of the message of Ray's error if its processes take too long to start (`ray/_private/node.py`)."""
START_TIMEOUT = 60.0
"""Seconds for Ray to start a process on each machine."""
DELIVERY_TIMEOUT = 20.0
"""Seconds for a task's events and log lines to be sent to Prefect's API."""
UNREACHABLE_FIX = "Set prefect_api_url to a Prefect server that the machines of the cluster can reach."


def _make_task_call() -> Callable[..., Any]:
    """Return Prefect's call of a task that also sends its events and log lines, because Ray kills its processes at the end.

    The function is pickled by value, because the cluster's machines may not have this package installed.
    """
    run_task, patience = prefect_ray.RayTaskRunner._run_prefect_task, DELIVERY_TIMEOUT

    def run_and_send(*upstream: Any, **call: Any) -> Any:
        from prefect.events.worker import EventsWorker
        from prefect.logging.handlers import APILogWorker

        try:
            return run_task(*upstream, **call)
        finally:
            APILogWorker.drain_all(timeout=patience)
            EventsWorker.drain_all(timeout=patience)

    return run_and_send


class FlowRayTaskRunner(DeferredFailureMixin, prefect_ray.RayTaskRunner):  # type: ignore[misc]  # an extra, which mypy need not find
    """Prefect's `RayTaskRunner`, with Ray available from before the flow's first line until after its last.

    A Ray started for the run listens on loopback, requires a token, and leaves no files. An error during the start is kept for
    the flow to raise (`flow_cluster.fail_without_cluster`): the engine would treat an exception raised here as its own crash.

    Args:
        address: address of an existing cluster, `ray://host:port`; None to start Ray for the run.
        num_cpus: CPUs of a Ray started for the run; None for the machine's cores.
        carried: files to copy to the disks of an existing cluster.
    """

    _run_prefect_task = staticmethod(_make_task_call())

    def __init__(
        self, address: str | None = None, num_cpus: int | None = None, carried: RunFiles | None = None
    ) -> None:
        super().__init__(address=address)
        self.num_cpus = num_cpus
        self.run_files = carried
        self._open_resources = ExitStack()

    def duplicate(self) -> FlowRayTaskRunner:
        """Create an instance with the same settings, which Prefect's engine then enters."""
        return FlowRayTaskRunner(self.address, self.num_cpus, self.run_files)

    def __enter__(self) -> FlowRayTaskRunner:
        TaskRunner.__enter__(self)
        if ray.is_initialized():  # in a task, or by the notebook's cells
            return self
        with ExitStack() as resources:
            try:
                self._join_cluster(resources) if self.address else self._start_ray(resources)
            except Exception as error:  # kept for the flow to raise
                self._failure = error
            else:
                self._open_resources = resources.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._open_resources:
            TaskRunner.__exit__(self, kind, error, trace)

    def _start_ray(self, resources: ExitStack) -> None:
        folder = scratch.make_socket_folder()
        resources.callback(shutil.rmtree, folder, ignore_errors=True)
        resources.callback(ray.shutdown)
        try:
            _start_with_retries(
                num_cpus=self.num_cpus,
                runtime_env={"worker_process_setup_hook": WORKER_HOOK},
                _temp_dir=str(folder / "ray"),  # Ray makes it accessible to all users, but its parent folder is private
            )
        except Exception as error:
            raise ClusterFailed(
                f"Ray does not start: {_last_line(error)}.", fix="Check the memory and disk space of this machine."
            ) from error

    def _join_cluster(self, resources: ExitStack) -> None:
        where = urlsplit(self.address)
        try:
            socket.create_connection((where.hostname, where.port or 0), CONNECT_SECONDS).close()
        except OSError as error:
            message = f"The Ray cluster at {self.address} cannot be reached: {error.strerror or error}."
            raise ClusterFailed(message, fix=FIX) from None
        resources.callback(ray.shutdown)
        try:
            _connect_with_retries(
                self.address,
                namespace="prefect",
                runtime_env=self._runtime_environment(),
                logging_level=logging.WARNING,
            )
        except Exception as error:
            message = f"The Ray cluster at {self.address} cannot be used: {_last_line(error)}."
            raise ClusterFailed(message, fix=FIX) from None
        require_prefect_access(self.address)

    def _runtime_environment(self) -> dict[str, Any]:
        """Return the workers' runtime environment: data files, modules, and the redaction policy. It contains no secrets."""
        variables = (
            {"env_vars": {policy.POLICY_VARIABLE: os.environ[policy.POLICY_VARIABLE]}}
            if policy.POLICY_VARIABLE in os.environ
            else {}
        )
        hook = {"worker_process_setup_hook": WORKER_HOOK} if policy.process_level() != "everything" else {}
        return {**variables, **hook, **({"working_dir": str(staged)} if (staged := self._stage_run_files()) else {})}

    def _stage_run_files(self) -> Path | None:
        """Create a folder that contains only the flow's data files and modules."""
        if self.run_files is None:
            return None
        contents = {**self.run_files.read_files(), **self.run_files.read_modules()}
        folder = self.run_files.folder / "satflow_for_ray"
        for place, content in contents.items():
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            (folder / place).write_bytes(content)
        return folder if contents else None


def _start_with_retries(**options: Any) -> None:
    """Start Ray, with retries: it gives itself 30 seconds, which are not enough on a machine that is very busy."""
    for left in reversed(range(ATTEMPTS)):
        try:
            ray.init("local", include_dashboard=False, namespace="prefect", logging_level=logging.WARNING, **options)
        except Exception as error:
            if left == 0 or START_TIMED_OUT not in str(error):
                raise
            ray.shutdown()
        else:
            return


def _connect_with_retries(address: str, **options: Any) -> None:
    """Connect, with retries: Ray's server forks a process per client while gRPC threads run, which sometimes crashes it."""
    for _ in range(ATTEMPTS - 1):
        try:
            ray.init(address, **options)
        except ConnectionAbortedError:
            ray.shutdown()
        else:
            return
    ray.init(address, **options)


def _last_line(error: Exception) -> str:
    """Return the last line of an error, because some of Ray's exceptions contain the traceback of another process."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[-1].strip().rstrip(".")


def require_prefect_access(address: str) -> None:
    """Check that the machines can connect to the Prefect API; tasks on one that cannot would crash.

    Args:
        address: the cluster's address for messages. This process is connected to the cluster.

    Raises:
        ClusterFailed: a machine cannot connect, or no process starts there.
    """
    url = find_loopback_api()
    if url is None:
        return
    where = urlsplit(url)
    connection_tests = [
        ray.remote(_make_connection_test())
        .options(num_cpus=0, scheduling_strategy=_on_node(node["NodeID"]))
        .remote(where.hostname, where.port)
        for node in ray.nodes()
        if node["Alive"] and node["Resources"].get("CPU")
    ]
    try:
        reached = ray.get(connection_tests, timeout=START_TIMEOUT)
    except ray.exceptions.RayError as error:
        message = f"The Ray cluster at {address} cannot run tasks: {type(error).__name__}."
        raise ClusterFailed(message, fix="Check the cluster's log and dashboard.") from None
    if not all(reached):
        message = f"A machine of the Ray cluster at {address} cannot reach the Prefect API of the local stack."
        raise ClusterFailed(message, fix=UNREACHABLE_FIX)


def _on_node(node: str) -> NodeAffinitySchedulingStrategy:
    return NodeAffinitySchedulingStrategy(node, soft=False)


def _make_connection_test() -> Callable[..., bool]:
    """Return a function that is pickled by value, because the cluster's machines may not have this package installed."""

    def reaches(host: str, port: int, patience: float = CONNECT_TIMEOUT) -> bool:
        import socket

        try:
            socket.create_connection((host, port), patience).close()
        except OSError:
            return False
        return True

    return reaches
