"""Arguments that the calls of a mapped task have in common: where they are large, Dask brings them once to each worker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from satflow_ext.dask_tasks import on_worker, pickler
from satflow_ext.dask_tasks.task_calls import Wanted

if TYPE_CHECKING:
    from distributed import Client, Future

HEAVY = 64 * 1024
"""Bytes. Above that, Dask brings something once to each worker; below, it is cheaper to send it with each call."""


class Common:
    """Of the calls of one map, which are sent a few hundred at a time.

    Args:
        dask_client: through which they are sent.
    """

    def __init__(self, dask_client: Client) -> None:
        self._dask_client = dask_client
        self._known: dict[str, Any] = {}
        self._brought: dict[str, Any] = {}

    def of(self, calls: Sequence[Wanted], waits: Callable[[Any], bool]) -> tuple[frozenset[str], dict[str, Any]]:
        """The names of arguments that are brought, and what brings them."""
        if len(calls) > 1:
            common = {name: value for name, value in _identical(calls).items() if not waits(value)}
            if common.keys() != self._known.keys() or any(common[name] is not self._known[name] for name in common):
                self._known, self._brought = common, self._bring(common)
        return frozenset(self._known if self._brought else ()), self._brought

    def _bring(self, common: dict[str, Any]) -> dict[str, Any]:
        data = pickler.dumps(common)
        return {"common": brought(self._dask_client, "arguments", data)} if len(data) > HEAVY else {}


def brought(dask_client: Client, what: str, data: bytes) -> Future[bytes]:
    """Data as Dask's own, which it makes again where a worker is lost, and lets go of when no task needs it."""
    return dask_client.submit(on_worker.same, data, key=f"satflow-{what}-{uuid4().hex}", pure=False)


def _identical(calls: Sequence[Wanted]) -> dict[str, Any]:
    """Arguments that are the very same object in each call."""
    return {
        name: value
        for name, value in calls[0].parameters.items()
        if all(call.parameters.get(name, call) is value for call in calls)
    }
