"""The task runner of the executors that use Dask."""

from __future__ import annotations

import threading
import types
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

from distributed import LocalCluster, get_client, get_worker
from prefect.futures import PrefectFuture, PrefectFutureList
from prefect_dask.client import PrefectDaskClient
from prefect_dask.task_runners import DaskTaskRunner, PrefectDaskFuture
from typing_extensions import Self

from satflow_ext.dask_tasks import client_security, cluster_compatibility
from satflow_ext.dask_tasks.batch import Batch
from satflow_ext.dask_tasks.carried import Carried
from satflow_ext.dask_tasks.future_list import FastDaskFutureList
from satflow_ext.dask_tasks.sender import Sender
from satflow_ext.dask_tasks.task_calls import Wanted

if TYPE_CHECKING:
    from prefect.client.schemas.objects import RunInput
    from prefect.tasks import Task

BATCH = 500
"""Calls of a mapped task that are sent in one graph: many enough to be cheap, few enough that workers need not wait."""


class FastDaskTaskRunner(DaskTaskRunner):
    """Prefect's `DaskTaskRunner` with the same arguments and the same semantics, whose tasks cost little.

    Where the workers of the cluster do not have this package, tasks are sent as Prefect sends them, and the log says so. A copy
    that travels to a worker inside a flow becomes there what the worker can import, and uses the cluster that the worker is of.
    """

    carried: Carried | None = None
    """What has to be on the disks of workers elsewhere."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._starting = threading.Lock()
        self._batches = threading.local()
        self._sender: Sender | None = None
        self._as_prefect_does = False

    @property
    def client(self) -> PrefectDaskClient:
        """The dask client. Within a task it is that of the Dask worker, which is connected already, with what TLS needs."""
        if self._client is None and (connected := _client_of_this_worker()) is not None:
            self._client = connected
        client_security.install()
        return super().client

    def duplicate(self) -> Self:
        """A new instance with the same settings, which is what Prefect's engine enters."""
        copy = cast(Self, super().duplicate())  # type: ignore[no-untyped-call]  # prefect_dask is typed in part
        copy.carried = self.carried
        return copy

    def submit(  # type: ignore[override]  # Prefect's overloads say the same for async tasks
        self,
        task: Task[Any, Any],
        parameters: dict[str, Any],
        wait_for: Iterable[PrefectFuture[Any]] | None = None,
        dependencies: dict[str, set[RunInput]] | None = None,
    ) -> PrefectDaskFuture[Any]:
        """Send a call of a task to the cluster.

        Args:
            task: what to call.
            parameters: with futures of other tasks in them.
            wait_for: futures that it waits for besides.
            dependencies: the task runs that parameters come from, where the parameters do not say it.

        Raises:
            RuntimeError: the task runner was not entered.
            PythonMismatch: the cluster's Python is another.
            DaskClusterUnfit: the cluster has no Prefect.
        """
        if not self._started:
            raise RuntimeError("The task runner must be started before submitting work.")
        sender = self._sending()
        if sender is None:
            return super().submit(
                task, parameters, cast("Iterable[PrefectDaskFuture[Any]] | None", wait_for), dependencies
            )
        batch: Batch = getattr(self._batches, "open", None) or Batch(sender, 1)
        return batch.add(Wanted(task, parameters, wait_for, dependencies or {}))

    def map(  # type: ignore[override]  # its future's type is that of threads in Prefect
        self,
        task: Task[Any, Any],
        parameters: dict[str, Any],
        wait_for: Iterable[PrefectFuture[Any]] | None = None,
    ) -> PrefectFutureList[PrefectDaskFuture[Any]]:
        """Send a call of a task for each element of its parameters, many at a time; the arguments are those of `submit`."""
        sender = self._sending() if self._started else None
        if sender is None:
            return super().map(task, parameters, wait_for)
        batch = self._batches.open = Batch(sender, BATCH)
        try:
            futures = super().map(task, parameters, wait_for)
        finally:
            self._batches.open = None
        batch.send()
        return FastDaskFutureList(futures)  # type: ignore[abstract]  # so is Prefect's, which is a list all the same

    def _sending(self) -> Sender | None:
        """What sends to this cluster; None where only Prefect's own way does."""
        with self._starting:
            if self._sender is None and not self._as_prefect_does:
                self._start()
            return self._sender

    def _start(self) -> None:
        dask_client = self.client
        # A cluster on this machine, and that of the task which this happens in, have what is here.
        is_local = isinstance(self._cluster, LocalCluster) or _client_of_this_worker() is dask_client
        if not is_local and not cluster_compatibility.fits(dask_client, self.logger):
            self._as_prefect_does = True
            return
        self._sender = Sender(dask_client, None if is_local else self.carried)
        self._exit_stack.callback(self._sender.close)

    def __reduce__(self) -> tuple[Any, ...]:
        # By value: cloudpickle takes what is of `__main__` so, and a worker need not have this package.
        rebuild = types.FunctionType(_rebuild.__code__, {"__builtins__": __builtins__}, "_rebuild")
        rebuild.__module__ = "__main__"
        return rebuild, ({"address": self.address, "client_kwargs": self.client_kwargs},)


def _rebuild(settings: dict[str, Any]) -> DaskTaskRunner:
    try:
        from satflow_ext.dask_tasks.runner import FastDaskTaskRunner as Runner
    except ImportError:
        from prefect_dask.task_runners import DaskTaskRunner as Runner  # type: ignore[assignment]  # what there is
    return Runner(**settings)


def _client_of_this_worker() -> PrefectDaskClient | None:
    try:
        get_worker()
    except ValueError:  # this is no task of Dask's
        return None
    return cast(PrefectDaskClient, get_client())  # it has what is used of one
