"""Batches of calls that are sent together."""

from __future__ import annotations

from typing import Any

from satflow_ext.dask_tasks.futures import FastDaskFuture
from satflow_ext.dask_tasks.sender import CallSender
from satflow_ext.dask_tasks.task_calls import CallRequest


class CallBatch:
    """Collects calls of one task and sends each full batch.

    Args:
        sender: sends the calls.
        size: number of calls in a full batch.
    """

    def __init__(self, sender: CallSender, size: int) -> None:
        self._sender = sender
        self._size = size
        self._shared_arguments = sender.create_shared_arguments()
        self._collected: list[tuple[CallRequest, FastDaskFuture[Any]]] = []

    def add_call(self, request: CallRequest) -> FastDaskFuture[Any]:
        """Add a call and return its future, which is usable after the batch has been sent."""
        future: FastDaskFuture[Any] = FastDaskFuture(request.task_run_id, self._sender.result_fetcher)
        self._collected.append((request, future))
        if len(self._collected) >= self._size:
            self.send_calls()
        return future

    def send_calls(self) -> None:
        """Send the collected calls."""
        collected, self._collected = self._collected, []
        if collected:
            sent = self._sender.send_calls([wanted for wanted, _ in collected], self._shared_arguments)
            for (_, future), dask_future in zip(collected, sent, strict=True):
                future.set_dask_future(dask_future)
