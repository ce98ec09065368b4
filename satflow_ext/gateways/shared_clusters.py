"""Clusters that several flow runs share. They are found by the label in their options, or created one at a time.

The users of a cluster are the Dask clients connected to its scheduler. A stored counter would be wrong after a run is killed.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from satflow_ext import file_lock
from satflow_ext.gateways import idle_timeout
from satflow_ext.gateways.cluster_request import has_options, read_label
from satflow_ext.settings import Settings

if TYPE_CHECKING:
    from dask_gateway import Gateway
    from dask_gateway.client import ClusterReport
    from dask_gateway.options import Options
    from distributed import Client


@contextmanager
def lock_label(label: str, settings: Settings) -> Iterator[None]:
    """Hold an exclusive lock per label among the processes and threads of this user on this machine. Blocks."""
    folder = settings.runtime_dir / "cluster-locks"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with file_lock.lock_file(folder / hashlib.sha256(label.encode()).hexdigest()[:32]):
        yield


def list_shared_clusters(gateway: Gateway, label: str, chosen: dict[str, Any] | None = None) -> list[ClusterReport]:
    """List the active clusters with this label, and with these options if any are given, oldest first."""
    reports = [each for each in gateway.list_clusters() if has_label(each, label)]
    like = [each for each in reports if chosen is None or has_options(each.options, chosen)]
    return sorted(like, key=lambda each: (each.start_time, each.name))


def has_label(report: ClusterReport, label: str) -> bool:
    """Return whether a cluster has this label."""
    return read_label(report.options) == label


def find_or_create_cluster(gateway: Gateway, options: Options, chosen: dict[str, Any], label: str) -> tuple[str, bool]:
    """Return the name of the cluster with this label and these options, and whether this call created it.

    The caller must hold the lock `alone`, which covers only this machine. If another machine creates such a cluster at the
    same time, both machines keep the older one and end the other.
    """
    before = list_shared_clusters(gateway, label, chosen)
    if before:
        return before[0].name, False
    name = submit_cluster(gateway, options)
    try:
        oldest = next((each.name for each in list_shared_clusters(gateway, label, chosen)), name)
    except BaseException:  # also an interrupt
        gateway.stop_cluster(name)
        raise
    if oldest != name:
        gateway.stop_cluster(name)
    return oldest, oldest == name


def submit_cluster(gateway: Gateway, options: Options) -> str:
    """Create a cluster and return its name. An interrupt waits until the name is available and stops the cluster."""
    answer = asyncio.run_coroutine_threadsafe(gateway._submit(cluster_options=options), gateway.loop.asyncio_loop)
    try:
        return str(answer.result())
    except BaseException:
        with suppress(Exception):  # the gateway created none
            gateway.stop_cluster(answer.result())
        raise


def has_other_users(presence: Client) -> bool:
    """Return whether a Dask client other than this one and those of the workers is connected to the cluster."""
    connected = presence.run_on_scheduler(_make_client_lister())  # type: ignore[no-untyped-call]  # typed in part
    return bool(idle_timeout.list_users(connected, excluded=presence.id))


def _make_client_lister() -> Any:
    """Return a function that is pickled by value, because the scheduler may not have this package installed."""

    def names(dask_scheduler: Any) -> list[str]:
        return list(dask_scheduler.clients)

    return names
