"""What a Dask task runner calls for a cluster of a Dask Gateway: the run's own, or the one that its deployment's runs share."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from satflow_ext.errors import ClusterFailed, ClusterNotStarted, GatewayUnreachable
from satflow_ext.gateways import shared_clusters, worker_guard
from satflow_ext.gateways.cluster_request import Wanted, choose
from satflow_ext.gateways.cluster_start import LOOK, Deadline, furnish, joined, let_go
from satflow_ext.gateways.connection import connected, offered, reached, translated
from satflow_ext.gateways.gateway_locator import DaskGateway
from satflow_ext.settings import Settings, load_settings

if TYPE_CHECKING:
    from dask_gateway import Gateway, GatewayCluster
    from distributed import Client

RESTART_SECONDS = 60.0
"""How long the local stack may take to start a gateway again that died. Its proxy looks for it up to 15 seconds later."""


@contextmanager
def gateway_cluster(*, wanted: Mapping[str, Any], share: bool, autoclose: bool) -> Iterator[GatewayCluster]:
    """A cluster for this flow run.

    Args:
        wanted: the fields of `Wanted`.
        share: whether the runs of a deployment have one together.
        autoclose: whether that one ends with the last run that uses it; a run's own always ends with the run.

    Raises:
        ClusterFailed: there is none; the subclass says why. What was begun was cleaned up.
        SizeRefused: the gateway does not give that worker size.
    """
    label = this_deployment() if share else None
    with used(Wanted(**wanted), label, load_settings(), autoclose=autoclose) as cluster:
        yield cluster


@contextmanager
def used(wanted: Wanted, label: str | None, settings: Settings, *, autoclose: bool) -> Iterator[GatewayCluster]:
    """The same, of a cluster with that label, or with none for one of its own."""
    with reached(wanted.gateway, settings) as where:
        cluster, presence = _patiently_entered(where, wanted, label, settings)
        try:
            with translated(where):
                worker_guard.guard(presence)
            yield cluster
        finally:
            _leave(cluster, presence, where, label, settings, autoclose=autoclose)


def this_deployment() -> str | None:
    """The id of the deployment that this flow run is of, None where it is of none."""
    from prefect.context import FlowRunContext

    context = FlowRunContext.get()
    run = context.flow_run if context else None
    return str(run.deployment_id) if run and run.deployment_id else None


def started(gateway: Gateway, wanted: Wanted, label: str | None, settings: Settings) -> GatewayCluster:
    """A cluster as it is wanted, ready for tasks: the one with that label where there is one.

    Raises:
        ClusterNotStarted: it is not.
        GatewayRefused: the gateway gives none like that.
        SizeRefused: the gateway does not give that worker size.
    """
    deadline = Deadline(wanted.start_timeout)
    while True:
        name, made = _named(gateway, wanted, label, settings)
        try:
            return _ready(gateway, name, wanted, deadline)
        except ClusterNotStarted:
            if made:
                _end(gateway, name)
            if made or deadline.passed:
                raise
            time.sleep(LOOK)  # it ended before it could be joined, or the gateway is about to notice that it is dead
        except BaseException:  # also an interrupt: what this call has made must not stay
            if made:
                _end(gateway, name)
            raise


def _named(gateway: Gateway, wanted: Wanted, label: str | None, settings: Settings) -> tuple[str, bool]:
    options = offered(gateway)
    chosen = choose(options, wanted, label)
    if label is None:
        return shared_clusters.submit(gateway, options), True
    with shared_clusters.alone(label, settings):
        return shared_clusters.found_or_made(gateway, options, chosen, label)


def _ready(gateway: Gateway, name: str, wanted: Wanted, deadline: Deadline) -> GatewayCluster:
    cluster = joined(gateway, name, deadline)
    try:
        furnish(cluster, wanted, deadline)
    except BaseException:
        let_go(cluster)
        raise
    return cluster


def _patiently_entered(
    where: DaskGateway, wanted: Wanted, label: str | None, settings: Settings
) -> tuple[GatewayCluster, Client]:
    """The same, once the local stack has started its gateway again where that has just died."""
    patience = Deadline(RESTART_SECONDS if where.local else 0)
    while True:
        try:
            with connected(where) as gateway:
                return _entered(gateway, wanted, label, settings)
        except GatewayUnreachable:
            if patience.passed:
                raise
            time.sleep(1)


def _entered(gateway: Gateway, wanted: Wanted, label: str | None, settings: Settings) -> tuple[GatewayCluster, Client]:
    """The cluster, and a dask client that tells others of this run's presence until it leaves."""
    while True:
        cluster = started(gateway, wanted, label, settings)
        presence = cluster.get_client(set_as_default=False)
        if label is None:
            return cluster, presence
        with shared_clusters.alone(
            label, settings
        ):  # who was about to end it has done so by now, or has seen the client
            if gateway.get_cluster(cluster.name).status.name == "RUNNING":
                return cluster, presence
        presence.close()
        let_go(cluster)


def _leave(
    cluster: GatewayCluster,
    presence: Client,
    where: DaskGateway,
    label: str | None,
    settings: Settings,
    *,
    autoclose: bool,
) -> None:
    """End the cluster where nobody else needs it; let go of it in any case."""
    with suppress(ClusterFailed, OSError, RuntimeError), translated(where):  # it has ended, or nobody answers any more
        if label is None:
            cluster.gateway.stop_cluster(cluster.name)
        elif autoclose:
            with shared_clusters.alone(label, settings):
                if not shared_clusters.is_used(presence):
                    cluster.gateway.stop_cluster(cluster.name)
    presence.close()  # type: ignore[no-untyped-call]  # distributed is typed in part
    let_go(cluster)


def _end(gateway: Gateway, name: str) -> None:
    with suppress(ValueError):  # it is unknown already
        gateway.stop_cluster(name)
