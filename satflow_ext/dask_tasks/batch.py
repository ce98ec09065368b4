"""Batches of calls that are sent together."""

from __future__ import annotations

from typing import Any

from satflow_ext.dask_tasks.futures import FastDaskFuture
from satflow_ext.dask_tasks.sender import Sender
from satflow_ext.dask_tasks.task_calls import Wanted


class Batch:
    """Collects calls of one task and sends each full batch.

    Args:
        sender: sends the calls.
        size: number of calls in a full batch.
    """

    def __init__(self, sender: Sender, size: int) -> None:
        self._sender = sender
        self._size = size
        self._common = sender.common()
        self._collected: list[tuple[Wanted, FastDaskFuture[Any]]] = []

    def add(self, wanted: Wanted) -> FastDaskFuture[Any]:
        """Add a call and return its future, which is usable after the batch has been sent."""
        future: FastDaskFuture[Any] = FastDaskFuture(wanted.task_run_id, self._sender.harvest)
        self._collected.append((wanted, future))
        if len(self._collected) >= self._size:
            self.send()
        return future

    def send(self) -> None:
        """Send the collected calls."""
        collected, self._collected = self._collected, []
        if collected:
            sent = self._sender.send([wanted for wanted, _ in collected], self._common)
            for (_, future), dask_future in zip(collected, sent, strict=True):
                future.sent(dask_future)
