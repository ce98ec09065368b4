"""Calls that are sent together."""

from __future__ import annotations

from typing import Any

from satflow_ext.dask_tasks.futures import FastDaskFuture
from satflow_ext.dask_tasks.sender import Sender
from satflow_ext.dask_tasks.task_calls import Wanted


class Batch:
    """Collects calls of one task, and sends them as soon as there are enough.

    Args:
        sender: what sends them.
        size: how many are enough.
    """

    def __init__(self, sender: Sender, size: int) -> None:
        self._sender = sender
        self._size = size
        self._common = sender.common()
        self._collected: list[tuple[Wanted, FastDaskFuture[Any]]] = []

    def add(self, wanted: Wanted) -> FastDaskFuture[Any]:
        """Take a call; its future is of use once it has been sent."""
        future: FastDaskFuture[Any] = FastDaskFuture(wanted.task_run_id, self._sender.harvest)
        self._collected.append((wanted, future))
        if len(self._collected) >= self._size:
            self.send()
        return future

    def send(self) -> None:
        """Send what has been collected."""
        collected, self._collected = self._collected, []
        if collected:
            sent = self._sender.send([wanted for wanted, _ in collected], self._common)
            for (_, future), dask_future in zip(collected, sent, strict=True):
                future.sent(dask_future)
