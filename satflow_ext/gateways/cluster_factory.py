"""Cluster factory for Dask task runners: a Dask Gateway cluster for one run, or one shared by the runs of a deployment."""

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
"""Time that the local stack may need to restart a crashed gateway. Its proxy finds the new one up to 15 seconds later."""


@contextmanager
def gateway_cluster(*, wanted: Mapping[str, Any], share: bool, autoclose: bool) -> Iterator[GatewayCluster]:
    """Provide a cluster for this flow run.

    Args:
        wanted: the fields of `Wanted`.
        share: whether the runs of a deployment share a cluster.
        autoclose: whether a shared cluster ends with the last run that uses it. A run's own cluster always ends with the run.

    Raises:
        ClusterFailed: the cluster could not start; the subclass gives the reason. Partial clusters were cleaned up.
        SizeRefused: the gateway does not offer this worker size.
    """
    label = this_deployment() if share else None
    with used(Wanted(**wanted), label, load_settings(), autoclose=autoclose) as cluster:
        yield cluster


@contextmanager
def used(wanted: Wanted, label: str | None, settings: Settings, *, autoclose: bool) -> Iterator[GatewayCluster]:
    """Provide the cluster with this label, or a new cluster for this run alone if the label is None."""
    with reached(wanted.gateway, settings) as where:
        cluster, presence = _patiently_entered(where, wanted, label, settings)
        try:
            with translated(where):
                worker_guard.guard(presence)
            yield cluster
        finally:
            _leave(cluster, presence, where, label, settings, autoclose=autoclose)


def this_deployment() -> str | None:
    """Return the id of this flow run's deployment, or None if it has none."""
    from prefect.context import FlowRunContext

    context = FlowRunContext.get()
    run = context.flow_run if context else None
    return str(run.deployment_id) if run and run.deployment_id else None


def started(gateway: Gateway, wanted: Wanted, label: str | None, settings: Settings) -> GatewayCluster:
    """Return a cluster that matches the request and is ready for tasks: the existing one with this label, or a new one.

    Raises:
        ClusterNotStarted: the cluster is not ready.
        GatewayRefused: the gateway does not offer such a cluster.
        SizeRefused: the gateway does not offer this worker size.
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
            time.sleep(LOOK)  # it ended before it was joined, or the gateway has not detected its crash yet
        except BaseException:  # also an interrupt: a cluster created by this call must not remain
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
    """Enter a cluster, and wait while the local stack restarts its gateway after a crash."""
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
    """Return the cluster and a Dask client whose connection marks this run as a user of the cluster."""
    while True:
        cluster = started(gateway, wanted, label, settings)
        presence = cluster.get_client(set_as_default=False)
        if label is None:
            return cluster, presence
        with shared_clusters.alone(
            label, settings
        ):  # another run that wanted to end it has done so by now, or has found this client
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
    """End the cluster if no other run needs it, and close this run's connections to it."""
    with suppress(ClusterFailed, OSError, RuntimeError), translated(where):  # it has ended, or no longer answers
        if label is None:
            cluster.gateway.stop_cluster(cluster.name)
        elif autoclose:
            with shared_clusters.alone(label, settings):
                if not shared_clusters.is_used(presence):
                    cluster.gateway.stop_cluster(cluster.name)
    presence.close()  # type: ignore[no-untyped-call]  # distributed is typed in part
    let_go(cluster)


def _end(gateway: Gateway, name: str) -> None:
    with suppress(ValueError):  # it has been removed already
        gateway.stop_cluster(name)
