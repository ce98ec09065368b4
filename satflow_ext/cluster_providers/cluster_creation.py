"""Create a cluster object within a time limit, and clean up everything that was started if that fails."""

from __future__ import annotations

import asyncio
import logging
import threading
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from satflow_ext.cluster_providers.address_redaction import redact_addresses
from satflow_ext.cluster_providers.signature import import_class
from satflow_ext.errors import ClusterNotStarted

if TYPE_CHECKING:
    from collections.abc import Callable

CLOSE_TIMEOUT = 30.0
"""Seconds to wait for a cluster to close."""

CANCEL_TIMEOUT = 5.0
"""Seconds to wait for a cancelled start to stop."""

FIX_TIMEOUT = "Increase start_timeout, or check what keeps the cluster from starting."
FIX_OPTIONS = "Check backend_options."


class ClusterCreation:
    """The creation of one cluster, in a separate thread because a constructor may block permanently.

    Args:
        path: `module:Class`.
        arguments: the keyword arguments of the class.
    """

    def __init__(self, path: str, arguments: dict[str, Any]) -> None:
        self._path = path
        self._arguments = arguments
        self._cluster: Any = None
        self._is_created = False
        self._error: BaseException | None = None
        context = copy_context()  # a new thread has no run context
        self._thread = threading.Thread(
            target=context.run, args=(self._run_constructor,), name="satflow-cluster", daemon=True
        )

    def create_cluster(self, seconds: float) -> Any:
        """Create the cluster object and return it.

        Raises:
            ClusterNotStarted: the class is missing or raised an error, or the time limit passed.
        """
        self._thread.start()
        try:
            self._thread.join(seconds)
        except BaseException:  # an interrupt, such as a cancelled run
            self.abort()
            raise
        if self._thread.is_alive():
            self.abort()
            raise ClusterNotStarted(f"{self._path} created no cluster within {seconds:g} s.", fix=FIX_TIMEOUT)
        if self._error is not None:
            self.abort()
            error_text = f"{type(self._error).__name__}: {redact_addresses(str(self._error))}"
            raise ClusterNotStarted(
                f"{self._path} could not create a cluster: {error_text}.", fix=FIX_OPTIONS
            ) from self._error
        return self._cluster

    def abort(self) -> None:
        """Cancel pending operations and close the parts of the cluster that exist."""
        if self._cluster is None:
            return
        if self._thread.is_alive():
            _cancel_pending_tasks(self._cluster)
            self._thread.join(CANCEL_TIMEOUT)
        if not self._is_created:
            _close_partial_cluster(self._cluster)
        close_cluster(self._cluster)

    def _run_constructor(self) -> None:
        try:
            made = import_class(self._path)
            if isinstance(made, type):  # two steps, so that a partial cluster can be closed on failure
                self._cluster = made.__new__(made, **self._arguments)  # type: ignore[call-overload]  # not a metaclass
                self._cluster.__init__(**self._arguments)
            else:
                self._cluster = made(**self._arguments)
            self._is_created = True
        except BaseException as error:  # thread boundary: `made` raises it again
            self._error = error


def close_cluster(cluster: Any) -> None:
    """Close a cluster and wait for at most `CLOSE_TIMEOUT` seconds. Errors are only logged."""
    close = getattr(cluster, "close", None)
    if close is not None:
        _close_with_timeout(close)


def _close_with_timeout(close: Callable[[], Any]) -> None:
    thread = threading.Thread(
        target=copy_context().run, args=(_close_and_log_errors, close), name="satflow-cluster-end", daemon=True
    )
    thread.start()
    thread.join(CLOSE_TIMEOUT)
    if thread.is_alive():
        run_log().warning(
            "The cluster did not close within %g seconds; check that no part of it is still running.", CLOSE_TIMEOUT
        )


def _close_and_log_errors(close: Callable[[], Any]) -> None:
    try:
        close()
    except Exception:  # thread boundary: cluster classes may raise anything
        run_log().warning(
            "The cluster did not close cleanly; check that no part of it is still running.", exc_info=True
        )


def _cancel_pending_tasks(cluster: Any) -> None:
    """Cancel the tasks in the event loop of a `distributed.deploy.Cluster`."""
    loop = getattr(cluster, "loop", None)
    if loop is not None:
        loop.add_callback(_cancel_loop_tasks)


def _cancel_loop_tasks() -> None:
    """Cancel all tasks except the one in which `distributed` runs the loop: cleaning up needs it."""
    for task in asyncio.all_tasks():
        if getattr(task.get_coro(), "__name__", "") != "amain":
            task.cancel()


def _close_partial_cluster(cluster: Any) -> None:
    """Close the workers of a `SpecCluster` whose start was interrupted: `close` ends only those that finished starting."""
    from distributed.core import Status
    from distributed.deploy.spec import SpecCluster

    status = getattr(cluster, "status", None)
    if not isinstance(cluster, SpecCluster) or status in (None, Status.created, Status.closed):
        return
    _close_with_timeout(lambda: cluster.sync(_close_started_workers, cluster))  # type: ignore[no-untyped-call]  # distributed is typed in part
    if status == Status.starting:
        cluster.status = Status.failed


async def _close_started_workers(cluster: Any) -> None:
    await asyncio.gather(*(each.close() for each in cluster._created))


def run_log() -> logging.Logger | logging.LoggerAdapter[logging.Logger]:
    """Return the logger of the current flow run, or this package's logger outside a flow run."""
    from prefect.exceptions import MissingContextError
    from prefect.logging import get_run_logger

    try:
        return get_run_logger()
    except MissingContextError:
        return logging.getLogger(__name__)
