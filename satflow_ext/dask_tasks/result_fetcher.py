"""Fetches what tasks gave, for several futures at a time: asking Dask for each alone takes longer than the task."""

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

MOST = 64
"""Futures whose results are fetched together."""

BYTES = 1024 * 1024
"""Of results that may be fetched before somebody asks for them."""


class Harvest:
    """Of the futures of one dask client, in the order in which their calls were sent.

    Args:
        dask_client: which they are of.
    """

    def __init__(self, dask_client: Client) -> None:
        self._dask_client = dask_client
        self._sent: list[weakref.ref[FastDaskFuture[Any]]] = []
        self._ahead = 0

    def add(self, future: FastDaskFuture[Any]) -> int:
        """Take a future in, whose call was sent.

        Returns:
            Its place.
        """
        self._sent.append(weakref.ref(future))
        return len(self._sent) - 1

    def wait(self, future: FastDaskFuture[Any], timeout: float) -> None:
        """Wait until a task run has ended, or until so many seconds have gone by."""
        with suppress(asyncio.TimeoutError), self._dask_client.as_current():
            wait([future.wrapped_future], timeout=timeout)  # type: ignore[no-untyped-call]  # typed in part

    def fetch(self, first: FastDaskFuture[Any], place: int) -> None:
        """Fetch the final state of a task run that has ended, and those of the next ones that have, while they are small."""
        self.gather([first, *self._next(place)])
        size = sizeof(getattr(getattr(first.final_state, "data", None), "result", None))
        self._ahead = min(MOST, BYTES // max(1, size))

    def gather(self, ended: Sequence[FastDaskFuture[Any]]) -> None:
        """Fetch the final states of task runs that have ended; those that Dask has lost since are left."""
        for first in range(0, len(ended), MOST):
            futures = dict(enumerate(each.wrapped_future for each in ended[first : first + MOST]))
            fetched = self._dask_client.gather(futures, errors="skip")  # type: ignore[no-untyped-call]  # typed in part
            for number, state in fetched.items():
                if state is not None:
                    ended[first + number].fetched(state)

    def _next(self, place: int) -> Iterator[FastDaskFuture[Any]]:
        for reference in self._sent[place + 1 : place + 1 + self._ahead]:
            future = reference()
            if future is not None and future.can_be_fetched():
                yield future
