"""List of the futures of a mapped task."""

from __future__ import annotations

from typing import Any, cast

from prefect.futures import PrefectFutureList

from satflow_ext.dask_tasks.futures import FastDaskFuture, free_task_slot

FETCH_PERIOD = 0.25
"""Seconds after which finished results are fetched, even if there are few, so that failures are reported soon."""


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
