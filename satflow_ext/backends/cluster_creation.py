"""A cluster object made within a time, or not at all: whatever was begun for it is taken away."""

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
"""Seconds that a cluster may take to end."""

GIVING_UP = 5.0
"""Seconds that a start which was cancelled may take to notice."""

MORE_TIME = "Give it more time (start_timeout), or see what keeps it from starting."
CHECK = "Check backend_options."


class Making:
    """The start of one cluster, in a thread of its own: a constructor may wait for ever.

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
        context = copy_context()  # a new thread does not know which flow run it belongs to
        self._thread = threading.Thread(target=context.run, args=(self._make,), name="satflow-cluster", daemon=True)

    def made(self, seconds: float) -> Any:
        """The cluster object.

        Raises:
            ClusterNotStarted: its class is not there or raised, or it was not made in time.
        """
        self._thread.start()
        try:
            self._thread.join(seconds)
        except BaseException:  # an interrupt, such as a cancelled run
            self.give_up()
            raise
        if self._thread.is_alive():
            self.give_up()
            raise ClusterNotStarted(f"{self._path} had made no cluster after {seconds:g} s.", fix=MORE_TIME)
        if self._error is not None:
            self.give_up()
            said = f"{type(self._error).__name__}: {without_addresses(str(self._error))}"
            raise ClusterNotStarted(f"{self._path} made no cluster: {said}.", fix=CHECK) from self._error
        return self._cluster

    def give_up(self) -> None:
        """Cancel what still goes on, and end what there is of the cluster."""
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
            if isinstance(made, type):  # in two steps, so that what was begun is known when it has to be given up
                self._cluster = made.__new__(made, **self._arguments)  # type: ignore[call-overload]  # it is no metaclass
                self._cluster.__init__(**self._arguments)
            else:
                self._cluster = made(**self._arguments)
            self._is_made = True
        except BaseException as error:  # the edge of this thread: raised again by who waits for it
            self._error = error


def end(cluster: Any) -> None:
    """Close a cluster, and wait for that as long as is sensible. What goes wrong is told in the log only."""
    close = getattr(cluster, "close", None)
    if close is not None:
        _bounded(close)


def _bounded(close: Callable[[], Any]) -> None:
    thread = threading.Thread(target=copy_context().run, args=(_tried, close), name="satflow-cluster-end", daemon=True)
    thread.start()
    thread.join(CLOSING)
    if thread.is_alive():
        run_log().warning("The cluster did not end within %g seconds; see that nothing of it is left.", CLOSING)


def _tried(close: Callable[[], Any]) -> None:
    try:
        close()
    except Exception:  # the edge of this thread: cluster classes raise what they like
        run_log().warning("The cluster did not end as it should; see that nothing of it is left.", exc_info=True)


def _cancel(cluster: Any) -> None:
    """Cancel what the loop of a `distributed.deploy.Cluster` is waiting for."""
    loop = getattr(cluster, "loop", None)
    if loop is not None:
        loop.add_callback(_cancel_all)


def _cancel_all() -> None:
    """All but the one in which `distributed` runs the loop itself: nothing could be taken away without it."""
    for task in asyncio.all_tasks():
        if getattr(task.get_coro(), "__name__", "") != "amain":
            task.cancel()


def _take_apart(cluster: Any) -> None:
    """Prepare a `SpecCluster` whose start was cut off: by itself it ends only what it knows to have started."""
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
