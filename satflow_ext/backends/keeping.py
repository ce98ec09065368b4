"""What goes on beside a flow run's cluster: Dask workers that were lost are replaced, and an idle time-out does not strike."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from satflow_ext.backends.base import Asked, BackEnd, Missing
from satflow_ext.backends.run_log import run_log
from satflow_ext.errors import ClusterFailed

if TYPE_CHECKING:
    from distributed import Client

PERIOD = 5.0
"""Seconds between two looks."""

log = logging.getLogger(__name__)


@contextmanager
def kept(cluster: Any, dask_client: Client, back_end: BackEnd, wanted: Asked) -> Iterator[None]:
    """Keep a cluster as it is wanted until the block is left."""
    stop = threading.Event()
    thread = threading.Thread(
        target=copy_context().run,
        args=(_keep, cluster, dask_client, back_end, min(PERIOD, wanted.idle_timeout / 4), stop),
        name="satflow-cluster-keeper",
        daemon=True,
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=5)


def say_why(cluster: Any, back_end: BackEnd, said: str | None) -> Missing:
    """What became of Dask workers that are not there; in the run's log as well, where that is not what was said last.

    Raises:
        ClusterFailed: there is no hope.
    """
    missing = back_end.missing(cluster)
    if missing.why and missing.why != said:
        run_log().info("Dask workers are missing: %s.", missing.why)
    return missing


def _keep(cluster: Any, dask_client: Client, back_end: BackEnd, period: float, stop: threading.Event) -> None:
    said = None
    while not stop.wait(period):
        try:
            if dask_client.status == "running":
                dask_client.run_on_scheduler(_in_use())  # type: ignore[no-untyped-call]  # distributed is typed in part
            missing = say_why(cluster, back_end, said)
            said = missing.why
            _replace(cluster, missing.gone)
        except (
            OSError,
            RuntimeError,
            ValueError,
            ClusterFailed,
        ):  # what distributed raises where the scheduler is gone
            log.debug("The cluster does not answer.", exc_info=True)


def _replace(cluster: Any, gone: frozenset[str]) -> None:
    from distributed.deploy.spec import SpecCluster

    if isinstance(cluster, SpecCluster) and cluster.new_spec and cluster.loop:
        cluster.loop.add_callback(_replace_lost, cluster, gone)


def _replace_lost(cluster: Any, gone: frozenset[str]) -> None:
    """As many as there should be: those that were lost are opened again. In the cluster's own thread, beside `adapt`."""
    for name in gone:
        cluster.workers.pop(name, None)
    cluster.scale(len(cluster.worker_spec))


def _in_use() -> Any:
    """A function that travels by value: the scheduler may not have this package.

    An idle time-out looks at tasks only, and would end the cluster of a flow that waits between two of them. A flow run that was
    killed says nothing any more.
    """

    def in_use(dask_scheduler: Any) -> None:
        dask_scheduler.idle_since = None

    return in_use
