"""Cluster factory for Dask task runners: a Dask Gateway cluster for one run, or one shared by the runs of a deployment."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from satflow_ext.errors import ClusterFailed, GatewayUnreachable
from satflow_ext.gateways import shared_clusters, worker_guard
from satflow_ext.gateways.cluster_request import GatewayClusterRequest
from satflow_ext.gateways.cluster_start import Deadline, release_cluster, start_cluster
from satflow_ext.gateways.connection import connect_gateway, locate_gateway, translate_errors
from satflow_ext.gateways.gateway_locator import DaskGateway
from satflow_ext.settings import Settings, load_settings

if TYPE_CHECKING:
    from dask_gateway import Gateway, GatewayCluster
    from distributed import Client

RESTART_SECONDS = 60.0
"""Time that the local stack may need to restart a crashed gateway. Its proxy finds the new one up to 15 seconds later."""


@contextmanager
def gateway_cluster(*, request: Mapping[str, Any], share: bool, autoclose: bool) -> Iterator[GatewayCluster]:
    """Provide a cluster for this flow run.

    Args:
        request: the fields of `GatewayClusterRequest`.
        share: whether the runs of a deployment share a cluster.
        autoclose: whether a shared cluster ends with the last run that uses it. A run's own cluster always ends with the run.

    Raises:
        ClusterFailed: the cluster could not start; the subclass gives the reason. Partial clusters were cleaned up.
        SizeRefused: the gateway does not offer this worker size.
    """
    label = current_deployment_id() if share else None
    with use_cluster(GatewayClusterRequest(**request), label, load_settings(), autoclose=autoclose) as cluster:
        yield cluster


@contextmanager
def use_cluster(
    request: GatewayClusterRequest, label: str | None, settings: Settings, *, autoclose: bool
) -> Iterator[GatewayCluster]:
    """Provide the cluster with this label, or a new cluster for this run alone if the label is None."""
    with locate_gateway(request.gateway, settings) as where:
        cluster, presence = _enter_with_retries(where, request, label, settings)
        try:
            with translate_errors(where):
                worker_guard.guard_workers(presence)
            yield cluster
        finally:
            _leave_cluster(cluster, presence, where, label, settings, autoclose=autoclose)


def current_deployment_id() -> str | None:
    """Return the id of this flow run's deployment, or None if it has none."""
    from prefect.context import FlowRunContext

    context = FlowRunContext.get()
    run = context.flow_run if context else None
    return str(run.deployment_id) if run and run.deployment_id else None


def _enter_with_retries(
    location: DaskGateway, request: GatewayClusterRequest, label: str | None, settings: Settings
) -> tuple[GatewayCluster, Client]:
    """Enter a cluster, and wait while the local stack restarts its gateway after a crash."""
    patience = Deadline(RESTART_SECONDS if location.is_local else 0)
    while True:
        try:
            with connect_gateway(location) as gateway:
                return _enter_cluster(gateway, request, label, settings)
        except GatewayUnreachable:
            if patience.has_passed:
                raise
            time.sleep(1)


def _enter_cluster(
    gateway: Gateway, request: GatewayClusterRequest, label: str | None, settings: Settings
) -> tuple[GatewayCluster, Client]:
    """Return the cluster and a Dask client whose connection marks this run as a user of the cluster."""
    while True:
        cluster = start_cluster(gateway, request, label, settings)
        presence = cluster.get_client(set_as_default=False)
        if label is None:
            return cluster, presence
        with shared_clusters.lock_label(
            label, settings
        ):  # another run that wanted to end it has done so by now, or has found this client
            if gateway.get_cluster(cluster.name).status.name == "RUNNING":
                return cluster, presence
        presence.close()
        release_cluster(cluster)


def _leave_cluster(
    cluster: GatewayCluster,
    presence: Client,
    location: DaskGateway,
    label: str | None,
    settings: Settings,
    *,
    autoclose: bool,
) -> None:
    """End the cluster if no other run needs it, and close this run's connections to it."""
    with (
        suppress(ClusterFailed, OSError, RuntimeError),
        translate_errors(location),
    ):  # it has ended, or no longer answers
        if label is None:
            cluster.gateway.stop_cluster(cluster.name)
        elif autoclose:
            with shared_clusters.lock_label(label, settings):
                if not shared_clusters.has_other_users(presence):
                    cluster.gateway.stop_cluster(cluster.name)
    presence.close()  # type: ignore[no-untyped-call]  # distributed is typed in part
    release_cluster(cluster)
