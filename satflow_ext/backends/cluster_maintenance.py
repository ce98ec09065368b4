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
from satflow_ext.backends.provider import ClusterProvider, ProviderRequest
from satflow_ext.backends.run_log import run_log
from satflow_ext.errors import ClusterFailed

if TYPE_CHECKING:
    from distributed import Client

PERIOD = 5.0
"""Seconds between two checks."""

FIRST_DELAY = 1.0
"""Seconds until the first check."""

log = logging.getLogger(__name__)
_closing: set[asyncio.Future[None]] = set()


class ClusterMaintainer:
    """Maintains one cluster.

    Args:
        cluster: the cluster object.
        dask_client: a client of the cluster.
        back_end: the cluster provider.
    """

    def __init__(self, cluster: Any, dask_client: Client, back_end: ClusterProvider) -> None:
        self._cluster = cluster
        self._dask_client = dask_client
        self._back_end = back_end
        self._logged_reason: str | None = None
        self.reason: str | None = None
        """Text that explains why Dask workers are missing; None if none are missing or the reason is unknown."""
        self.fatal_error: ClusterFailed | None = None
        """The error if no Dask worker can ever connect."""

    def check_once(self) -> None:
        """Reset the scheduler's idle timer once, find missing Dask workers, and replace lost ones."""
        try:
            if self._dask_client.status == "running":
                self._dask_client.run_on_scheduler(_make_idle_reset())  # type: ignore[no-untyped-call]  # typed in part
            self._check_missing_workers()
        except ClusterFailed as error:
            self.fatal_error = error
        except (OSError, RuntimeError, ValueError):  # raised by a distributed client that has lost its scheduler
            log.debug("The cluster does not answer.", exc_info=True)

    def _check_missing_workers(self) -> None:
        missing = self._back_end.find_missing_workers(self._cluster)
        self.reason, self.fatal_error = missing.reason, None
        missing_worker_reasons.report_reason(missing.reason)
        if missing.reason and missing.reason != self._logged_reason:
            run_log().info("Dask workers are missing: %s.", missing.reason)
            self._logged_reason = missing.reason
        _schedule_replacement(self._cluster, missing.lost_names)


@contextmanager
def maintain_cluster(
    cluster: Any, dask_client: Client, back_end: ClusterProvider, request: ProviderRequest
) -> Iterator[ClusterMaintainer]:
    """Maintain a cluster as requested until the block ends."""
    stop, keeper = threading.Event(), ClusterMaintainer(cluster, dask_client, back_end)
    period = min(PERIOD, request.idle_timeout / 4)
    context = copy_context()  # a new thread has no run context
    thread = threading.Thread(
        target=context.run, args=(_run_maintenance, keeper, period, stop), name="satflow-cluster-keeper", daemon=True
    )
    thread.start()
    try:
        yield keeper
    finally:
        stop.set()
        thread.join(timeout=5)


def _run_maintenance(keeper: ClusterMaintainer, period: float, stop: threading.Event) -> None:
    wait = min(FIRST_DELAY, period)
    while not stop.wait(wait):
        keeper.check_once()
        wait = period


def _schedule_replacement(cluster: Any, lost_names: frozenset[str]) -> None:
    from distributed.deploy.spec import SpecCluster

    if isinstance(cluster, SpecCluster) and cluster.new_spec and cluster.loop:
        cluster.loop.add_callback(_replace_lost_workers, cluster, lost_names)


def _replace_lost_workers(cluster: Any, lost_names: frozenset[str]) -> None:
    """Start replacements for lost Dask workers up to the requested number. Runs in the cluster's own thread, like `adapt`."""
    for worker in filter(None, (cluster.workers.pop(name, None) for name in lost_names)):
        _closing.add(asyncio.ensure_future(worker.close()))
    if cluster.worker_spec.keys() - cluster.workers.keys():
        cluster.scale(len(cluster.worker_spec))


def _make_idle_reset() -> Any:
    """Return a function that is pickled by value, because the scheduler may not have this package installed.

    The idle timeout considers only tasks and would end the cluster of a flow that waits between two of them. A killed flow
    run stops resetting the timer, so its cluster still ends.
    """

    def in_use(dask_scheduler: Any) -> None:
        dask_scheduler.idle_since = None

    return in_use
