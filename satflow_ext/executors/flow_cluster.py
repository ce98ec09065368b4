"""Task runner of the executor `dask-client`: tasks run in threads, and their Dask computations on the run's cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import wraps
from types import TracebackType
from typing import TYPE_CHECKING, Any

from prefect.context import FlowRunContext
from prefect.task_runners import ThreadPoolTaskRunner

from satflow_ext.errors import NoDaskCluster

if TYPE_CHECKING:
    from distributed import Client
    from prefect import Flow

    ClientOpener = Callable[[], AbstractContextManager[Client]]
    ClusterMonitor = Callable[[Client], AbstractContextManager[None]]

NO_CLUSTER_ERROR = NoDaskCluster(
    "There is no Dask cluster in this context.",
    fix="Register the flow with the executor dask-client. In a notebook, create a distributed.Client first.",
)


class DeferredFailureMixin:
    """A task runner that can be entered without a cluster and keeps the error for the flow to raise."""

    _failure: Exception | None = None

    def raise_failure(self) -> None:
        """Raise the error that prevented the cluster, if any."""
        if self._failure is not None:
            raise self._failure


class DaskClientTaskRunner(DeferredFailureMixin, ThreadPoolTaskRunner[Any]):
    """Prefect's thread pool, with a Dask cluster from before the flow's first line until after its last.

    If the cluster cannot start, the flow run fails before any of its code runs. The cluster ends however the flow ends.

    Args:
        open_client: opens the Dask client of a cluster, and closes both.
        monitor: a context manager that is active while the client is open.
    """

    def __init__(self, open_client: ClientOpener, monitor: ClusterMonitor = lambda _: nullcontext()) -> None:
        super().__init__()
        self._open_client = open_client
        self._monitor = monitor
        self._resources = ExitStack()

    def duplicate(self) -> DaskClientTaskRunner:
        """Create an instance with the same settings, which Prefect's engine then enters."""
        return DaskClientTaskRunner(self._open_client, self._monitor)

    def with_monitor(self, monitor: ClusterMonitor) -> DaskClientTaskRunner:
        """Create a copy of the task runner with another `monitor`."""
        return DaskClientTaskRunner(self._open_client, monitor)

    def __enter__(self) -> DaskClientTaskRunner:
        with ExitStack() as resources:
            try:
                client = resources.enter_context(self._open_client())
                resources.enter_context(self._monitor(client))
            except Exception as error:  # Prefect's engine treats an exception raised here as a crash of the engine
                self._failure = error
            super().__enter__()
            self._resources = resources.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._resources:
            super().__exit__(kind, error, trace)


def fail_without_cluster(flow: Flow[..., Any]) -> Flow[..., Any]:
    """Make the flow fail with the reason, before any of its code runs, if its task runner has no cluster."""
    body = flow.fn

    @wraps(body)
    def checked(*arguments: Any, **named: Any) -> Any:
        context = FlowRunContext.get()
        if context is not None and isinstance(context.task_runner, DeferredFailureMixin):
            context.task_runner.raise_failure()
        return body(*arguments, **named)

    flow.fn = checked  # the flow's other attributes, such as whether it is async, do not change
    return flow


@contextmanager
def dask_client() -> Iterator[Client]:
    """Return the Dask client of the flow run's cluster, which runs all Dask computations in the block.

    In a flow or task of the executor `dask-client`, it is the run's client. In a task on a Dask worker (`dask-local`,
    `dask-address`), it is the worker's client, and other tasks may use the task slot in the block. In a notebook, it is the
    client that was created last.

    Raises:
        NoDaskCluster: there is no such client.
    """
    from distributed import Client, get_worker, worker_client

    try:
        get_worker()
    except ValueError:
        pass
    else:
        with worker_client() as client:
            yield client
        return
    try:
        client = Client.current()  # type: ignore[no-untyped-call]  # distributed is typed in part
    except ValueError:
        raise NO_CLUSTER_ERROR from None
    with client.as_current():
        yield client
