"""Arguments that the calls of a mapped task share. Dask copies large ones once to each worker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from satflow_ext.dask_tasks import on_worker, worker_pickler
from satflow_ext.dask_tasks.task_calls import CallRequest

if TYPE_CHECKING:
    from distributed import Client, Future

LARGE_SIZE = 64 * 1024
"""Bytes. Larger data is copied by Dask once to each worker; smaller data is cheaper to send with each call."""


class SharedArguments:
    """The shared arguments of the calls of one map, which are sent a few hundred at a time.

    Args:
        dask_client: client that sends the calls.
    """

    def __init__(self, dask_client: Client) -> None:
        self._dask_client = dask_client
        self._last_arguments: dict[str, Any] = {}
        self._futures: dict[str, Any] = {}

    def submit_shared(
        self, calls: Sequence[CallRequest], has_futures: Callable[[Any], bool]
    ) -> tuple[frozenset[str], dict[str, Any]]:
        """Return the names of the arguments that Dask delivers, and the futures that deliver them."""
        if len(calls) > 1:
            common = {name: value for name, value in _identical_arguments(calls).items() if not has_futures(value)}
            if common.keys() != self._last_arguments.keys() or any(
                common[name] is not self._last_arguments[name] for name in common
            ):
                self._last_arguments, self._futures = common, self._submit_arguments(common)
        return frozenset(self._last_arguments if self._futures else ()), self._futures

    def _submit_arguments(self, common: dict[str, Any]) -> dict[str, Any]:
        data = worker_pickler.pickle_for_worker(common)
        return {"common": submit_data(self._dask_client, "arguments", data)} if len(data) > LARGE_SIZE else {}


def submit_data(dask_client: Client, label: str, data: bytes) -> Future[bytes]:
    """Submit data as a Dask task, which Dask recomputes if a worker is lost, and releases when no task needs it."""
    return dask_client.submit(on_worker.return_data, data, key=f"satflow-{label}-{uuid4().hex}", pure=False)


def _identical_arguments(calls: Sequence[CallRequest]) -> dict[str, Any]:
    """Return the arguments that are the identical object in each call."""
    return {
        name: value
        for name, value in calls[0].parameters.items()
        if all(call.parameters.get(name, call) is value for call in calls)
    }
