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

    from satflow_ext.dask_tasks.result_fetcher import ResultFetcher

R = TypeVar("R")


class FastDaskFuture(PrefectDaskFuture[R]):
    """Prefect's future of a Dask task. A task can wait for it even on a worker with a single thread.

    Args:
        task_run_id: id of the future task run.
        harvest: fetches results of this Dask client.
    """

    def __init__(self, task_run_id: UUID, harvest: ResultFetcher) -> None:
        PrefectTaskRunFuture.__init__(self, task_run_id)
        self.result_fetcher = harvest

    def set_dask_future(self, future: Future[R]) -> None:
        """Set Dask's future after the call was sent."""
        self._wrapped_future = future
        self._position = self.result_fetcher.add_future(self)

    @property
    def is_awaited(self) -> bool:
        """True while a final state may still have to be fetched."""
        return self._final_state is None and self._wrapped_future.status not in ("error", "cancelled")

    def is_ready_to_fetch(self) -> bool:
        """Return whether a final state is ready to be fetched."""
        return self._final_state is None and self._wrapped_future.status == "finished"

    @property
    def final_state(self) -> State[R] | None:
        """The final state, if it was fetched. Prefect's `state` would request it from the API otherwise."""
        return self._final_state

    def set_final_state(self, state: State[R]) -> None:
        """Set the final state."""
        self._final_state = state

    def wait(self, timeout: float | None = None) -> None:
        """Wait for the end of the task run, or until the timeout in seconds."""
        self._fetch_final_state()
        if self._final_state is None:
            with free_task_slot():
                super().wait(timeout)

    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> R:
        """Return the task's result.

        Raises:
            TimeoutError: the result did not arrive before the timeout in seconds.
            Exception: the exception of the task, unless `raise_on_failure` is false.
        """
        self._fetch_final_state()
        if self._final_state is not None:
            return super().result(timeout, raise_on_failure)
        with free_task_slot():
            return super().result(timeout, raise_on_failure)

    def add_done_callback(self, fn: Callable[[PrefectFuture[R]], None]) -> None:
        """Call a function with this future when the task run ends. Prefect uses this to wait for several futures."""
        if self._final_state is None:
            _leave_task_slot()
        super().add_done_callback(fn)

    def _fetch_final_state(self) -> None:
        if self.is_ready_to_fetch():
            self.result_fetcher.fetch_with_next(self, self._position)


@contextmanager
def free_task_slot() -> Iterator[None]:
    """On a Dask worker, free the task slot while this task waits, because the awaited task may need it."""
    try:
        get_worker()
    except ValueError:  # not in a Dask task
        yield
    else:
        with worker_client():
            yield


def _leave_task_slot() -> None:
    """Free the task slot for the rest of this task, because the end of the wait cannot be detected."""
    with suppress(ValueError, KeyError):  # not in a Dask task, or the slot is free already
        secede()  # type: ignore[no-untyped-call]  # distributed is typed in part
