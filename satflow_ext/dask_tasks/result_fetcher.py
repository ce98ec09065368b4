"""Fetch results for several futures at a time, because fetching each one separately takes longer than the task."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from dask.sizeof import sizeof
from distributed import wait

if TYPE_CHECKING:
    from distributed import Client

    from satflow_ext.dask_tasks.futures import FastDaskFuture

MAX_FUTURES = 64
"""Maximum number of futures whose results are fetched together."""

MAX_PREFETCH_BYTES = 1024 * 1024
"""Maximum bytes of results to fetch in advance."""


class ResultFetcher:
    """Fetches results for the futures of one Dask client, in the order in which their calls were sent.

    Args:
        dask_client: client of the futures.
    """

    def __init__(self, dask_client: Client) -> None:
        self._dask_client = dask_client
        self._sent: list[weakref.ref[FastDaskFuture[Any]]] = []
        self._ahead = 0

    def add_future(self, future: FastDaskFuture[Any]) -> int:
        """Add a future after its call was sent.

        Returns:
            Its position in the order of sending.
        """
        self._sent.append(weakref.ref(future))
        return len(self._sent) - 1

    def wait_for_future(self, future: FastDaskFuture[Any], timeout: float) -> None:
        """Wait until a task run has ended, or until the timeout in seconds."""
        with suppress(asyncio.TimeoutError), self._dask_client.as_current():
            wait([future.wrapped_future], timeout=timeout)  # type: ignore[no-untyped-call]  # typed in part

    def fetch_with_next(self, first: FastDaskFuture[Any], place: int) -> None:
        """Fetch the final state of a finished task run, and in advance those of the next finished ones if they are small."""
        self.gather_results([first, *self._next_finished(place)])
        size = sizeof(getattr(getattr(first.final_state, "data", None), "result", None))
        self._ahead = min(MAX_FUTURES, MAX_PREFETCH_BYTES // max(1, size))

    def gather_results(self, ended: Sequence[FastDaskFuture[Any]]) -> None:
        """Fetch the final states of finished task runs, and skip those that Dask has lost in the meantime."""
        for first in range(0, len(ended), MAX_FUTURES):
            futures = dict(enumerate(each.wrapped_future for each in ended[first : first + MAX_FUTURES]))
            fetched = self._dask_client.gather(futures, errors="skip")  # type: ignore[no-untyped-call]  # typed in part
            for number, state in fetched.items():
                if state is not None:
                    ended[first + number].set_final_state(state)

    def _next_finished(self, place: int) -> Iterator[FastDaskFuture[Any]]:
        for reference in self._sent[place + 1 : place + 1 + self._ahead]:
            future = reference()
            if future is not None and future.is_ready_to_fetch():
                yield future
