"""Arguments that the calls of a mapped task share. Dask copies large ones once to each worker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from satflow_ext.dask_tasks import on_worker, pickler
from satflow_ext.dask_tasks.task_calls import Wanted

if TYPE_CHECKING:
    from distributed import Client, Future

HEAVY = 64 * 1024
"""Bytes. Larger data is copied by Dask once to each worker; smaller data is cheaper to send with each call."""


class Common:
    """The shared arguments of the calls of one map, which are sent a few hundred at a time.

    Args:
        dask_client: client that sends the calls.
    """

    def __init__(self, dask_client: Client) -> None:
        self._dask_client = dask_client
        self._known: dict[str, Any] = {}
        self._brought: dict[str, Any] = {}

    def of(self, calls: Sequence[Wanted], waits: Callable[[Any], bool]) -> tuple[frozenset[str], dict[str, Any]]:
        """Return the names of the arguments that Dask delivers, and the futures that deliver them."""
        if len(calls) > 1:
            common = {name: value for name, value in _identical(calls).items() if not waits(value)}
            if common.keys() != self._known.keys() or any(common[name] is not self._known[name] for name in common):
                self._known, self._brought = common, self._bring(common)
        return frozenset(self._known if self._brought else ()), self._brought

    def _bring(self, common: dict[str, Any]) -> dict[str, Any]:
        data = pickler.dumps(common)
        return {"common": brought(self._dask_client, "arguments", data)} if len(data) > HEAVY else {}


def brought(dask_client: Client, what: str, data: bytes) -> Future[bytes]:
    """Submit data as a Dask task, which Dask recomputes if a worker is lost, and releases when no task needs it."""
    return dask_client.submit(on_worker.same, data, key=f"satflow-{what}-{uuid4().hex}", pure=False)


def _identical(calls: Sequence[Wanted]) -> dict[str, Any]:
    """Return the arguments that are the identical object in each call."""
    return {
        name: value
        for name, value in calls[0].parameters.items()
        if all(call.parameters.get(name, call) is value for call in calls)
    }
