"""Futures of tasks on Dask workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from distributed import get_worker, secede, worker_client
from prefect.futures import PrefectFuture, PrefectTaskRunFuture
from prefect_dask.task_runners import PrefectDaskFuture

if TYPE_CHECKING:
    from distributed import Future
    from prefect.client.schemas.objects import State

    from satflow_ext.dask_tasks.result_fetcher import Harvest

R = TypeVar("R")


class FastDaskFuture(PrefectDaskFuture[R]):
    """Prefect's future of a Dask task, which a task can wait for on the only thread that there is.

    Args:
        task_run_id: of the run to be.
        harvest: what fetches results of this dask client.
    """

    def __init__(self, task_run_id: UUID, harvest: Harvest) -> None:
        PrefectTaskRunFuture.__init__(self, task_run_id)
        self.harvest = harvest

    def sent(self, future: Future[R]) -> None:
        """The call was sent; this is Dask's future of it."""
        self._wrapped_future = future
        self._place = self.harvest.add(self)

    @property
    def is_awaited(self) -> bool:
        """Whether there may still be a final state that is not here yet."""
        return self._final_state is None and self._wrapped_future.status not in ("error", "cancelled")

    def can_be_fetched(self) -> bool:
        """Whether there is a final state that is not here yet."""
        return self._final_state is None and self._wrapped_future.status == "finished"

    @property
    def final_state(self) -> State[R] | None:
        """The final state, where it is here. Prefect's `state` asks the API otherwise."""
        return self._final_state

    def fetched(self, state: State[R]) -> None:
        """This is the final state."""
        self._final_state = state

    def wait(self, timeout: float | None = None) -> None:
        """Wait for the task run's end, or until so many seconds have gone by."""
        self._fetch()
        if self._final_state is None:
            with room_for_others():
                super().wait(timeout)

    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> R:
        """What the task returned.

        Raises:
            TimeoutError: it is not there within so many seconds.
            Exception: what the task raised, unless `raise_on_failure` is false.
        """
        self._fetch()
        if self._final_state is not None:
            return super().result(timeout, raise_on_failure)
        with room_for_others():
            return super().result(timeout, raise_on_failure)

    def add_done_callback(self, fn: Callable[[PrefectFuture[R]], None]) -> None:
        """Call a function with this future when the task run has ended. Prefect does so to wait for several at a time."""
        if self._final_state is None:
            _make_room_for_others()
        super().add_done_callback(fn)

    def _fetch(self) -> None:
        if self.can_be_fetched():
            self.harvest.fetch(self, self._place)


@contextmanager
def room_for_others() -> Iterator[None]:
    """On a Dask worker, leave the thread's place to another task while this one waits: that may be the one waited for."""
    try:
        get_worker()
    except ValueError:  # this is no task of Dask's
        yield
    else:
        with worker_client():
            yield


def _make_room_for_others() -> None:
    """The same for the rest of this task: nothing tells when it has stopped waiting."""
    with suppress(ValueError, KeyError):  # this is no task of Dask's, or it has left its place already
        secede()  # type: ignore[no-untyped-call]  # distributed is typed in part
