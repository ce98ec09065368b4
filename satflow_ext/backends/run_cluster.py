"""What a Dask task runner calls for a cluster of its flow run's own: made, given its Dask workers, watched over, and ended."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from satflow_ext.backends import named, signature
from satflow_ext.backends.addresses import without_addresses
from satflow_ext.backends.base import Asked, BackEnd
from satflow_ext.backends.cluster_creation import Making, end
from satflow_ext.backends.cluster_maintenance import Keeper, kept
from satflow_ext.backends.dask_defaults import PROMPT, QUIET
from satflow_ext.backends.hidden_dashboard import Unadvertised
from satflow_ext.backends.worker_secrets import tell
from satflow_ext.dask_tasks.first_worker import need_worker
from satflow_ext.errors import ClusterNotStarted

if TYPE_CHECKING:
    from distributed import Client


@contextmanager
def started(*, asked: Mapping[str, Any]) -> Iterator[Unadvertised]:
    """A cluster for this flow run, which ends with it.

    Args:
        asked: the fields of `Asked`.

    Raises:
        ClusterFailed: there is none; the subclass says why. What was begun was cleaned up.
    """
    import dask

    wanted = Asked(**asked)
    back_end = named(wanted.backend)
    until = time.monotonic() + wanted.start_timeout
    dask.config.set({**QUIET, **PROMPT})
    cluster = Making(back_end.cluster_class, _arguments(back_end, wanted)).made(wanted.start_timeout)
    try:
        with _connected(cluster, until) as dask_client, kept(cluster, dask_client, back_end, wanted) as keeper:
            furnish(cluster, dask_client, back_end, wanted, until, keeper)
            tell(dask_client)
            yield Unadvertised(cluster)
    finally:
        end(cluster)


def _arguments(back_end: BackEnd, wanted: Asked) -> dict[str, Any]:
    """What the class is called with, and its number of Dask workers and idle time-out where it has such arguments.

    While it is made nobody tells the scheduler that the run lives, so the idle time-out is no less than what that may take.
    """
    arguments = back_end.arguments(wanted)
    try:
        known = signature.parameters(signature.imported(back_end.cluster_class)).named
    except (ImportError, AttributeError, TypeError, ValueError):  # making it will say so
        return arguments
    offered = {"n_workers": wanted.first_workers, "idle_timeout": max(wanted.idle_timeout, wanted.start_timeout)}
    return {name: value for name, value in offered.items() if name in known} | arguments


@contextmanager
def _connected(cluster: Any, until: float) -> Iterator[Client]:
    from distributed import Client

    try:
        client = Client(cluster, timeout=_left(until), set_as_default=False)  # type: ignore[no-untyped-call]
    except OSError as error:
        raise ClusterNotStarted(f"The cluster's scheduler does not answer: {without_addresses(str(error))}.") from None
    try:
        yield client
    finally:
        client.close()  # type: ignore[no-untyped-call]  # distributed is typed in part


def furnish(cluster: Any, dask_client: Client, back_end: BackEnd, wanted: Asked, until: float, keeper: Keeper) -> None:
    """Let the cluster have the Dask workers that are wanted, and wait for the first.

    Raises:
        ClusterFailed: it cannot have them, or none came in time.
    """

    def why() -> str | None:
        if keeper.hopeless:
            raise keeper.hopeless
        return keeper.why

    _resize(cluster, back_end, wanted)
    need_worker(dask_client, until, wanted.start_timeout, why)


def _resize(cluster: Any, back_end: BackEnd, wanted: Asked) -> None:
    if not getattr(cluster, "_supports_scaling", True) or not hasattr(cluster, "scale"):
        raise ClusterNotStarted(
            f"{back_end.name} cannot be told how many Dask workers there are to be.",
            fix="Choose a class whose clusters can be scaled.",
        )
    if wanted.workers is not None:
        cluster.scale(wanted.workers)
    else:
        cluster.adapt(minimum=wanted.minimum, maximum=wanted.maximum)


def _left(until: float) -> float:
    return max(until - time.monotonic(), 1.0)
