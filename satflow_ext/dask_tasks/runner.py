"""The task runner of the executors that use Dask, and the check of whether the workers of a cluster have what it needs."""

from __future__ import annotations

import sys
import threading
import types
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from logging import Logger
from typing import TYPE_CHECKING, Any, cast

from distributed import LocalCluster, get_client, get_worker
from prefect.futures import PrefectFuture, PrefectFutureList
from prefect_dask.client import PrefectDaskClient
from prefect_dask.task_runners import DaskTaskRunner, PrefectDaskFuture
from typing_extensions import Self

from satflow_ext.dask_tasks import client_security
from satflow_ext.dask_tasks.futures import FastDaskFuture, free_task_slot
from satflow_ext.dask_tasks.prefect_from_there import require_prefect_access
from satflow_ext.dask_tasks.run_files import RunFiles
from satflow_ext.dask_tasks.sender import CallSender
from satflow_ext.dask_tasks.task_calls import CallRequest
from satflow_ext.errors import DaskClusterUnfit, PythonMismatch

if TYPE_CHECKING:
    from distributed import Client
    from distributed.client import VersionsDict
    from prefect.client.schemas.objects import RunInput
    from prefect.tasks import Task

BATCH_SIZE = 500
"""Number of calls of a mapped task in one graph: large enough to be cheap, small enough that workers start early."""

FETCH_PERIOD = 0.25
"""Seconds after which finished results are fetched, even if there are few, so that failures are reported soon."""

PACKAGE = "satflow-ext"

Versions = Mapping[str, str | None]
"""Package → version in one process; None if the package is not installed."""


class FastDaskTaskRunner(DaskTaskRunner):
    """Prefect's `DaskTaskRunner` with the same arguments and semantics, but with less overhead per task.

    If the workers of the cluster do not have this package, tasks are sent as Prefect sends them, and a warning is logged. A copy
    pickled inside a flow becomes a class that the worker can import, and uses the worker's cluster.
    """

    run_files: RunFiles | None = None
    """Files to copy to the disks of workers on other machines."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._start_lock = threading.Lock()
        self._batches = threading.local()
        self._sender: CallSender | None = None
        self._uses_prefect_submit = False

    @property
    def client(self) -> PrefectDaskClient:
        """The Dask client. In a task it is the Dask worker's client, which is already connected with TLS."""
        if self._client is None and (connected := _find_worker_client()) is not None:
            self._client = connected
        client_security.install_security_loader()
        return super().client

    def duplicate(self) -> Self:
        """Create an instance with the same settings, which Prefect's engine then enters."""
        copy = cast(Self, super().duplicate())  # type: ignore[no-untyped-call]  # prefect_dask is typed in part
        copy.run_files = self.run_files
        return copy

    def submit(  # type: ignore[override]  # Prefect's overloads differ only for async tasks
        self,
        task: Task[Any, Any],
        parameters: dict[str, Any],
        wait_for: Iterable[PrefectFuture[Any]] | None = None,
        dependencies: dict[str, set[RunInput]] | None = None,
    ) -> PrefectDaskFuture[Any]:
        """Send a call of a task to the cluster.

        Args:
            task: the task to call.
            parameters: arguments, which may contain futures of other tasks.
            wait_for: additional futures to wait for.
            dependencies: the task runs that produced the parameters, if the parameters do not show it.

        Raises:
            RuntimeError: the task runner was not entered.
            PythonMismatch: the cluster has a different Python version.
            DaskClusterUnfit: the cluster has no Prefect.
        """
        if not self._started:
            raise RuntimeError("The task runner must be started before submitting work.")
        sender = self._get_sender()
        if sender is None:
            return super().submit(
                task, parameters, cast("Iterable[PrefectDaskFuture[Any]] | None", wait_for), dependencies
            )
        batch: CallBatch = getattr(self._batches, "open", None) or CallBatch(sender, 1)
        return batch.add_call(CallRequest(task, parameters, wait_for, dependencies or {}))

    def map(  # type: ignore[override]  # Prefect's type is the future of threads
        self,
        task: Task[Any, Any],
        parameters: dict[str, Any],
        wait_for: Iterable[PrefectFuture[Any]] | None = None,
    ) -> PrefectFutureList[PrefectDaskFuture[Any]]:
        """Send a call of a task for each element of its parameters, many at a time. For the arguments, see `submit`."""
        sender = self._get_sender() if self._started else None
        if sender is None:
            return super().map(task, parameters, wait_for)
        batch = self._batches.open = CallBatch(sender, BATCH_SIZE)
        try:
            futures = super().map(task, parameters, wait_for)
        finally:
            self._batches.open = None
        batch.send_calls()
        return FastDaskFutureList(futures)  # type: ignore[abstract]  # Prefect's list is abstract too, but works

    def _get_sender(self) -> CallSender | None:
        """Return the sender of this cluster, or None if tasks must be sent as Prefect sends them."""
        with self._start_lock:
            if self._sender is None and not self._uses_prefect_submit:
                self._create_sender()
            return self._sender

    def _create_sender(self) -> None:
        dask_client = self.client
        # A cluster on this machine, or the cluster of the current task, has the same packages and files.
        is_local = isinstance(self._cluster, LocalCluster) or _find_worker_client() is dask_client
        if not is_local and not is_compatible(dask_client, self.logger):
            self._uses_prefect_submit = True
            return
        self._sender = CallSender(dask_client, None if is_local else self.run_files)
        self._exit_stack.callback(self._sender.close)

    def __reduce__(self) -> tuple[Any, ...]:
        # cloudpickle pickles functions of `__main__` by value, because a worker may not have this package.
        rebuild = types.FunctionType(_rebuild_task_runner.__code__, {"__builtins__": __builtins__}, "_rebuild")
        rebuild.__module__ = "__main__"
        return rebuild, ({"address": self.address, "client_kwargs": self.client_kwargs},)


def _rebuild_task_runner(settings: dict[str, Any]) -> DaskTaskRunner:
    try:
        from satflow_ext.dask_tasks.runner import FastDaskTaskRunner as Runner
    except ImportError:
        from prefect_dask.task_runners import DaskTaskRunner as Runner  # type: ignore[assignment]  # the fallback
    return Runner(**settings)


def _find_worker_client() -> PrefectDaskClient | None:
    try:
        get_worker()
    except ValueError:  # not in a Dask task
        return None
    return cast(PrefectDaskClient, get_client())  # it has all methods that are used


class FastDaskFutureList(PrefectFutureList[Any]):
    """Prefect's list, with results fetched many at a time. Prefect waits for each future and fetches its result separately."""

    def wait(self, timeout: float | None = None) -> None:
        """Wait for all task runs, or until the timeout in seconds."""
        if timeout is None:
            self._fetch_results(until_failure=False)
        super().wait(timeout)

    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> list[Any]:
        """Return all results in order. A failure is raised soon after it happens.

        Raises:
            TimeoutError: not all results arrived before the timeout in seconds.
            Exception: the exception of a task, unless `raise_on_failure` is false.
        """
        if timeout is None:
            self._fetch_results(until_failure=raise_on_failure)
        return super().result(timeout, raise_on_failure)

    def _fetch_results(self, until_failure: bool) -> None:
        """Fetch final states as tasks end. Prefect's own methods report tasks that Dask could not run and that have none."""
        pending = [each for each in cast("list[FastDaskFuture[Any]]", self) if each.is_awaited]
        with free_task_slot():
            while pending:
                harvest = pending[0].result_fetcher
                harvest.wait_for_future(pending[len(pending) // 2], FETCH_PERIOD)
                ended = [each for each in pending if each.is_ready_to_fetch()]
                harvest.gather_results(ended)
                if until_failure and any(_has_failed(each) for each in ended):
                    return
                pending = [each for each in pending if each.is_awaited]


def _has_failed(future: FastDaskFuture[Any]) -> bool:
    return future.final_state is not None and not future.final_state.is_completed()


class CallBatch:
    """Collects calls of one task and sends each full batch.

    Args:
        sender: sends the calls.
        size: number of calls in a full batch.
    """

    def __init__(self, sender: CallSender, size: int) -> None:
        self._sender = sender
        self._size = size
        self._shared_arguments = sender.create_shared_arguments()
        self._collected: list[tuple[CallRequest, FastDaskFuture[Any]]] = []

    def add_call(self, request: CallRequest) -> FastDaskFuture[Any]:
        """Add a call and return its future, which is usable after the batch has been sent."""
        future: FastDaskFuture[Any] = FastDaskFuture(request.task_run_id, self._sender.result_fetcher)
        self._collected.append((request, future))
        if len(self._collected) >= self._size:
            self.send_calls()
        return future

    def send_calls(self) -> None:
        """Send the collected calls."""
        collected, self._collected = self._collected, []
        if collected:
            sent = self._sender.send_calls([call for call, _ in collected], self._shared_arguments)
            for (_, future), dask_future in zip(collected, sent, strict=True):
                future.set_dask_future(dask_future)


def is_compatible(dask_client: Client, logger: Logger) -> bool:
    """Return whether every connected Dask worker has the same version of SatFlow as this process.

    If not, tasks run as with Prefect's own task runner. Workers that join later are assumed to match the scheduler.

    Raises:
        PythonMismatch: the cluster runs another Python version, which cannot read the pickled tasks.
        DaskClusterUnfit: the cluster has no Prefect, has another release of distributed, or cannot reach the Prefect API.
    """
    found = cast("VersionsDict", dask_client.get_versions(packages=[PACKAGE, "prefect"]))
    versions_by_process = {"scheduler": found["scheduler"], **found["workers"]}
    installed = {name: each["packages"] for name, each in versions_by_process.items() if isinstance(each, Mapping)}
    if not check_packages(installed, dask_client.scheduler_info()["address"], logger):
        return False
    require_prefect_access(dask_client)
    return True


def check_packages(installed: Mapping[str, Versions], address: str, logger: Logger) -> bool:
    """Decide from the installed packages of each process of the cluster, by name, as `fits` does."""
    for name, versions in installed.items():
        _check_python(name, versions["python"] or "", address)
        _check_distributed(name, versions.get("distributed"), address)
    own_version = version(PACKAGE)
    other = {name: versions[PACKAGE] for name, versions in installed.items() if versions[PACKAGE] != own_version}
    if not other:
        _check_prefect({name: each for name, each in installed.items() if name != "scheduler"}, address)
        return True
    _check_prefect(installed, address)
    name, found = next(iter(other.items()))
    logger.warning(
        "Tasks on the Dask cluster at %s run slower than necessary: its %s has %s. Install satflow-ext==%s there.",
        address,
        name,
        f"satflow-ext {found}" if found else "no satflow-ext",
        own_version,
    )
    return False


def _check_python(name: str, python: str, address: str) -> None:
    cluster_version, own_version = python.split(".")[:2], [str(part) for part in sys.version_info[:2]]
    if cluster_version != own_version:
        raise PythonMismatch(
            f"The Dask cluster at {address} runs Python {'.'.join(cluster_version)} ({name}), "
            f"this flow run Python {'.'.join(own_version)}.",
            fix="Use a cluster with this Python version, or register from a kernel with the cluster's version.",
        )


def _check_distributed(name: str, cluster_version: str | None, address: str) -> None:
    """Refuse another release of distributed. Dask's parts need the same release, but the patch versions may differ."""
    own_version = version("distributed")
    if cluster_version and cluster_version.split(".")[:2] != own_version.split(".")[:2]:
        raise DaskClusterUnfit(
            f"The Dask cluster at {address} has distributed {cluster_version} ({name}), this flow run distributed {own_version}.",
            fix="Use a cluster with this release, or register from an environment with the cluster's release.",
        )


def _check_prefect(installed: Mapping[str, Versions], address: str) -> None:
    lacking = [name for name, versions in installed.items() if not versions["prefect"]]
    if lacking:
        raise DaskClusterUnfit(
            f"The Dask cluster at {address} has no Prefect ({lacking[0]}), so tasks cannot run there.",
            fix=f"Install prefect=={version('prefect')} and satflow-ext=={version(PACKAGE)} on its workers and its scheduler.",
        )
