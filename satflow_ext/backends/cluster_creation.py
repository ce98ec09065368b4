"""Create a cluster object within a time limit, and clean up everything that was started if that fails."""

from __future__ import annotations

import asyncio
import threading
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from satflow_ext.backends.addresses import without_addresses
from satflow_ext.backends.run_log import run_log
from satflow_ext.backends.signature import imported
from satflow_ext.errors import ClusterNotStarted

if TYPE_CHECKING:
    from collections.abc import Callable

CLOSING = 30.0
"""Seconds to wait for a cluster to close."""

GIVING_UP = 5.0
"""Seconds to wait for a cancelled start to stop."""

MORE_TIME = "Increase start_timeout, or check what keeps the cluster from starting."
CHECK = "Check backend_options."


class Making:
    """The creation of one cluster, in a separate thread because a constructor may block permanently.

    Args:
        path: `module:Class`.
        arguments: the keyword arguments of the class.
    """

    def __init__(self, path: str, arguments: dict[str, Any]) -> None:
        self._path = path
        self._arguments = arguments
        self._cluster: Any = None
        self._is_made = False
        self._error: BaseException | None = None
        context = copy_context()  # a new thread has no run context
        self._thread = threading.Thread(target=context.run, args=(self._make,), name="satflow-cluster", daemon=True)

    def made(self, seconds: float) -> Any:
        """Create the cluster object and return it.

        Raises:
            ClusterNotStarted: the class is missing or raised an error, or the time limit passed.
        """
        self._thread.start()
        try:
            self._thread.join(seconds)
        except BaseException:  # an interrupt, such as a cancelled run
            self.give_up()
            raise
        if self._thread.is_alive():
            self.give_up()
            raise ClusterNotStarted(f"{self._path} created no cluster within {seconds:g} s.", fix=MORE_TIME)
        if self._error is not None:
            self.give_up()
            said = f"{type(self._error).__name__}: {without_addresses(str(self._error))}"
            raise ClusterNotStarted(f"{self._path} could not create a cluster: {said}.", fix=CHECK) from self._error
        return self._cluster

    def give_up(self) -> None:
        """Cancel pending operations and close the parts of the cluster that exist."""
        if self._cluster is None:
            return
        if self._thread.is_alive():
            _cancel(self._cluster)
            self._thread.join(GIVING_UP)
        if not self._is_made:
            _take_apart(self._cluster)
        end(self._cluster)

    def _make(self) -> None:
        try:
            made = imported(self._path)
            if isinstance(made, type):  # two steps, so that a partial cluster can be closed on failure
                self._cluster = made.__new__(made, **self._arguments)  # type: ignore[call-overload]  # not a metaclass
                self._cluster.__init__(**self._arguments)
            else:
                self._cluster = made(**self._arguments)
            self._is_made = True
        except BaseException as error:  # thread boundary: `made` raises it again
            self._error = error


def end(cluster: Any) -> None:
    """Close a cluster and wait for at most `CLOSING` seconds. Errors are only logged."""
    close = getattr(cluster, "close", None)
    if close is not None:
        _bounded(close)


def _bounded(close: Callable[[], Any]) -> None:
    thread = threading.Thread(target=copy_context().run, args=(_tried, close), name="satflow-cluster-end", daemon=True)
    thread.start()
    thread.join(CLOSING)
    if thread.is_alive():
        run_log().warning(
            "The cluster did not close within %g seconds; check that no part of it is still running.", CLOSING
        )


def _tried(close: Callable[[], Any]) -> None:
    try:
        close()
    except Exception:  # thread boundary: cluster classes may raise anything
        run_log().warning(
            "The cluster did not close cleanly; check that no part of it is still running.", exc_info=True
        )


def _cancel(cluster: Any) -> None:
    """Cancel the tasks in the event loop of a `distributed.deploy.Cluster`."""
    loop = getattr(cluster, "loop", None)
    if loop is not None:
        loop.add_callback(_cancel_all)


def _cancel_all() -> None:
    """Cancel all tasks except the one in which `distributed` runs the loop: cleaning up needs it."""
    for task in asyncio.all_tasks():
        if getattr(task.get_coro(), "__name__", "") != "amain":
            task.cancel()


def _take_apart(cluster: Any) -> None:
    """Close the workers of a `SpecCluster` whose start was interrupted: `close` ends only those that finished starting."""
    from distributed.core import Status
    from distributed.deploy.spec import SpecCluster

    status = getattr(cluster, "status", None)
    if not isinstance(cluster, SpecCluster) or status in (None, Status.created, Status.closed):
        return
    _bounded(lambda: cluster.sync(_end_begun, cluster))  # type: ignore[no-untyped-call]  # distributed is typed in part
    if status == Status.starting:
        cluster.status = Status.failed


async def _end_begun(cluster: Any) -> None:
    await asyncio.gather(*(each.close() for each in cluster._created))
