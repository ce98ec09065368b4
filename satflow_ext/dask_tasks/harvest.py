"""Fetches what tasks gave, for several futures at a time: asking Dask for each alone takes longer than the task."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from dask.sizeof import sizeof

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

    def fetch(self, first: FastDaskFuture[Any], place: int) -> None:
        """Fetch the final state of a task run that has ended, and those of the next ones that have, while they are small."""
        wanted = [first, *self._next(place)]
        futures = {number: each.wrapped_future for number, each in enumerate(wanted)}
        fetched = self._dask_client.gather(futures, errors="skip")  # type: ignore[no-untyped-call]  # typed in part
        for number, future in enumerate(wanted):
            if (state := fetched[number]) is not None:
                future.fetched(state)
        size = sizeof(getattr(getattr(fetched[0], "data", None), "result", None))
        self._ahead = min(MOST, BYTES // max(1, size))

    def _next(self, place: int) -> Iterator[FastDaskFuture[Any]]:
        for reference in islice(self._sent, place + 1, place + 1 + self._ahead):
            future = reference()
            if future is not None and future.can_be_fetched():
                yield future
