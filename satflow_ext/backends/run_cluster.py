"""The cluster of a single flow run, called by a Dask task runner: create it, scale it, maintain it, and close it."""

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
    """Start a cluster for this flow run, and close it when the block ends.

    Args:
        asked: the fields of `Asked`.

    Raises:
        ClusterFailed: the cluster could not start; the subclass gives the reason. Partial clusters were cleaned up.
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
    """Return the arguments of the class, with the number of Dask workers and the idle timeout if the class has them.

    During creation nothing resets the scheduler's idle timer, so the idle timeout is at least as long as `start_timeout`.
    """
    arguments = back_end.arguments(wanted)
    try:
        known = signature.parameters(signature.imported(back_end.cluster_class)).named
    except (ImportError, AttributeError, TypeError, ValueError):  # creating the cluster reports the error
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
    """Scale the cluster to the requested Dask workers and wait for the first one.

    Raises:
        ClusterFailed: the cluster cannot be scaled, or no Dask worker connected in time.
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
            f"Clusters of {back_end.name} cannot be scaled to a number of Dask workers.",
            fix="Choose a class whose clusters can be scaled.",
        )
    if wanted.workers is not None:
        cluster.scale(wanted.workers)
    else:
        cluster.adapt(minimum=wanted.minimum, maximum=wanted.maximum)


def _left(until: float) -> float:
    return max(until - time.monotonic(), 1.0)
