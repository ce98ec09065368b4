"""Tasks run in threads of the flow run, and what they give to Dask runs on the flow run's cluster."""

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

    Opened = Callable[[], AbstractContextManager[Client]]
    During = Callable[[Client], AbstractContextManager[None]]

NOWHERE = NoDaskCluster(
    "There is no Dask cluster here.",
    fix="Register the flow with the executor dask-client. In a notebook, make a distributed.Client first.",
)


class MayHaveNone:
    """A task runner that is entered also where there is nothing to run tasks on, and keeps why."""

    _failure: Exception | None = None

    def need_cluster(self) -> None:
        """Raise what kept it from having a cluster."""
        if self._failure is not None:
            raise self._failure


class DaskClientTaskRunner(MayHaveNone, ThreadPoolTaskRunner[Any]):
    """Prefect's thread pool, with a Dask cluster from before the flow's first line until after its last.

    A cluster that cannot be had fails the flow run before any of it ran, and one that is there ends however the flow ends.

    Args:
        opened: gives the dask client of a cluster, and ends both.
        during: goes on as long as there is a client.
    """

    def __init__(self, opened: Opened, during: During = lambda _: nullcontext()) -> None:
        super().__init__()
        self._opened = opened
        self._during = during
        self._resources = ExitStack()

    def duplicate(self) -> DaskClientTaskRunner:
        """A new instance with the same settings, which is what Prefect's engine enters."""
        return DaskClientTaskRunner(self._opened, self._during)

    def watched(self, during: During) -> DaskClientTaskRunner:
        """The same task runner, with something that goes on beside it."""
        return DaskClientTaskRunner(self._opened, during)

    def __enter__(self) -> DaskClientTaskRunner:
        with ExitStack() as resources:
            try:
                client = resources.enter_context(self._opened())
                resources.enter_context(self._during(client))
            except Exception as error:  # what leaves here by raising, Prefect's engine takes for a crash of its own
                self._failure = error
            super().__enter__()
            self._resources = resources.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._resources:
            super().__exit__(kind, error, trace)


def failing_first(flow: Flow[..., Any]) -> Flow[..., Any]:
    """The flow, of which nothing runs where its task runner has no cluster: then it fails, with the reason."""
    body = flow.fn

    @wraps(body)
    def checked(*arguments: Any, **named: Any) -> Any:
        context = FlowRunContext.get()
        if context is not None and isinstance(context.task_runner, MayHaveNone):
            context.task_runner.need_cluster()
        return body(*arguments, **named)

    flow.fn = checked  # what Prefect knows of it, such as whether it is async, stays
    return flow


@contextmanager
def dask_client() -> Iterator[Client]:
    """The dask client of the flow run's cluster: what Dask computes inside the block is computed there.

    In a flow or task of the executor `dask-client` it is the run's. In a task that runs on a Dask worker itself (`dask-local`,
    `dask-address`) it is the worker's, which gives its place to other tasks meanwhile. In a notebook it is the one made last.

    Raises:
        NoDaskCluster: there is none of these.
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
        raise NOWHERE from None
    with client.as_current():
        yield client
