"""Maintenance of a running cluster: replace lost Dask workers, explain missing ones, and keep the idle timeout from firing."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from satflow_ext.backends import missing_worker_reasons
from satflow_ext.backends.base import Asked, BackEnd
from satflow_ext.backends.run_log import run_log
from satflow_ext.errors import ClusterFailed

if TYPE_CHECKING:
    from distributed import Client

PERIOD = 5.0
"""Seconds between two checks."""

FIRST = 1.0
"""Seconds until the first check."""

log = logging.getLogger(__name__)
_closing: set[asyncio.Future[None]] = set()


class Keeper:
    """Maintains one cluster.

    Args:
        cluster: the cluster object.
        dask_client: a client of the cluster.
        back_end: the cluster provider.
    """

    def __init__(self, cluster: Any, dask_client: Client, back_end: BackEnd) -> None:
        self._cluster = cluster
        self._dask_client = dask_client
        self._back_end = back_end
        self._said: str | None = None
        self.why: str | None = None
        """Text that explains why Dask workers are missing; None if none are missing or the reason is unknown."""
        self.hopeless: ClusterFailed | None = None
        """The error if no Dask worker can ever connect."""

    def look(self) -> None:
        """Reset the scheduler's idle timer once, find missing Dask workers, and replace lost ones."""
        try:
            if self._dask_client.status == "running":
                self._dask_client.run_on_scheduler(_in_use())  # type: ignore[no-untyped-call]  # typed in part
            self._see()
        except ClusterFailed as error:
            self.hopeless = error
        except (OSError, RuntimeError, ValueError):  # raised by a distributed client that has lost its scheduler
            log.debug("The cluster does not answer.", exc_info=True)

    def _see(self) -> None:
        missing = self._back_end.missing(self._cluster)
        self.why, self.hopeless = missing.why, None
        missing_worker_reasons.say(missing.why)
        if missing.why and missing.why != self._said:
            run_log().info("Dask workers are missing: %s.", missing.why)
            self._said = missing.why
        _replace(self._cluster, missing.gone)


@contextmanager
def kept(cluster: Any, dask_client: Client, back_end: BackEnd, wanted: Asked) -> Iterator[Keeper]:
    """Maintain a cluster as requested until the block ends."""
    stop, keeper = threading.Event(), Keeper(cluster, dask_client, back_end)
    period = min(PERIOD, wanted.idle_timeout / 4)
    context = copy_context()  # a new thread has no run context
    thread = threading.Thread(
        target=context.run, args=(_keep, keeper, period, stop), name="satflow-cluster-keeper", daemon=True
    )
    thread.start()
    try:
        yield keeper
    finally:
        stop.set()
        thread.join(timeout=5)


def _keep(keeper: Keeper, period: float, stop: threading.Event) -> None:
    wait = min(FIRST, period)
    while not stop.wait(wait):
        keeper.look()
        wait = period


def _replace(cluster: Any, gone: frozenset[str]) -> None:
    from distributed.deploy.spec import SpecCluster

    if isinstance(cluster, SpecCluster) and cluster.new_spec and cluster.loop:
        cluster.loop.add_callback(_replace_lost, cluster, gone)


def _replace_lost(cluster: Any, gone: frozenset[str]) -> None:
    """Start replacements for lost Dask workers up to the requested number. Runs in the cluster's own thread, like `adapt`."""
    for worker in filter(None, (cluster.workers.pop(name, None) for name in gone)):
        _closing.add(asyncio.ensure_future(worker.close()))
    if cluster.worker_spec.keys() - cluster.workers.keys():
        cluster.scale(len(cluster.worker_spec))


def _in_use() -> Any:
    """Return a function that is pickled by value, because the scheduler may not have this package installed.

    The idle timeout considers only tasks and would end the cluster of a flow that waits between two of them. A killed flow
    run stops resetting the timer, so its cluster still ends.
    """

    def in_use(dask_scheduler: Any) -> None:
        dask_scheduler.idle_since = None

    return in_use
