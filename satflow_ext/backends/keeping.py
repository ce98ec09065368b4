"""What goes on beside a flow run's cluster: Dask workers that were lost are replaced, and an idle time-out does not strike."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from satflow_ext.backends.base import Asked

if TYPE_CHECKING:
    from distributed import Client

PERIOD = 5.0
"""Seconds between two looks."""

log = logging.getLogger(__name__)


@contextmanager
def kept(cluster: Any, dask_client: Client, wanted: Asked) -> Iterator[None]:
    """Keep a cluster as it is wanted until the block is left."""
    stop = threading.Event()
    thread = threading.Thread(
        target=copy_context().run,
        args=(_keep, cluster, dask_client, min(PERIOD, wanted.idle_timeout / 4), stop),
        name="satflow-cluster-keeper",
        daemon=True,
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=5)


def _keep(cluster: Any, dask_client: Client, period: float, stop: threading.Event) -> None:
    from distributed.deploy.spec import SpecCluster

    while not stop.wait(period):
        if isinstance(cluster, SpecCluster) and cluster.new_spec and cluster.loop:
            cluster.loop.add_callback(_replace_lost, cluster)
        try:
            if dask_client.status == "running":
                dask_client.run_on_scheduler(_in_use())  # type: ignore[no-untyped-call]  # distributed is typed in part
        except (OSError, RuntimeError, ValueError):  # what distributed raises from a client whose scheduler is gone
            log.debug("The cluster does not answer.", exc_info=True)


def _replace_lost(cluster: Any) -> None:
    """As many as there should be: those that were lost are opened again. In the cluster's own thread, beside `adapt`."""
    cluster.scale(len(cluster.worker_spec))


def _in_use() -> Any:
    """A function that travels by value: the scheduler may not have this package.

    An idle time-out looks at tasks only, and would end the cluster of a flow that waits between two of them. A flow run that was
    killed says nothing any more.
    """

    def in_use(dask_scheduler: Any) -> None:
        dask_scheduler.idle_since = None

    return in_use
