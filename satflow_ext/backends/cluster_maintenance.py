"""What goes on beside a cluster: lost Dask workers are replaced, missing ones explained, and no idle time-out strikes."""

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
"""Seconds between two looks."""

FIRST = 1.0
"""Seconds until the first one."""

log = logging.getLogger(__name__)
_closing: set[asyncio.Future[None]] = set()


class Keeper:
    """Looks after a cluster.

    Args:
        cluster: the object that made it.
        dask_client: a client of it.
        back_end: what it comes from.
    """

    def __init__(self, cluster: Any, dask_client: Client, back_end: BackEnd) -> None:
        self._cluster = cluster
        self._dask_client = dask_client
        self._back_end = back_end
        self._said: str | None = None
        self.why: str | None = None
        """What the Dask workers wait for that are not there, in words; None where none is missing, or nobody knows."""
        self.hopeless: ClusterFailed | None = None
        """Why none will ever come."""

    def look(self) -> None:
        """Once: tell the scheduler that the run lives, see what is missing, and have it replaced."""
        try:
            if self._dask_client.status == "running":
                self._dask_client.run_on_scheduler(_in_use())  # type: ignore[no-untyped-call]  # typed in part
            self._see()
        except ClusterFailed as error:
            self.hopeless = error
        except (OSError, RuntimeError, ValueError):  # what distributed raises from a client whose scheduler is gone
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
    """Keep a cluster as it is wanted until the block is left."""
    stop, keeper = threading.Event(), Keeper(cluster, dask_client, back_end)
    period = min(PERIOD, wanted.idle_timeout / 4)
    context = copy_context()  # a new thread does not know which flow run it belongs to
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
    """As many as there should be: those that were lost are opened again. In the cluster's own thread, beside `adapt`."""
    for worker in filter(None, (cluster.workers.pop(name, None) for name in gone)):
        _closing.add(asyncio.ensure_future(worker.close()))
    if cluster.worker_spec.keys() - cluster.workers.keys():
        cluster.scale(len(cluster.worker_spec))


def _in_use() -> Any:
    """A function that travels by value: the scheduler may not have this package.

    An idle time-out looks at tasks only, and would end the cluster of a flow that waits between two of them. A flow run that was
    killed says nothing any more.
    """

    def in_use(dask_scheduler: Any) -> None:
        dask_scheduler.idle_since = None

    return in_use
