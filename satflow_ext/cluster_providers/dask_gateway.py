"""Clusters of a Dask Gateway: the local stack's own or one of the settings. All runs of a deployment can share a cluster."""

from __future__ import annotations

import sys
from dataclasses import asdict, fields
from typing import Any

from satflow_ext.cluster_providers.provider import ClusterProvider, ProviderRequest
from satflow_ext.errors import SizeRefused
from satflow_ext.gateways import cluster_request, connection
from satflow_ext.gateways.cluster_request import GatewayClusterRequest
from satflow_ext.gateways.gateway_locator import find_gateway_settings
from satflow_ext.gateways.worker_plan import WorkerPlan
from satflow_ext.settings import Settings


def make_gateway_request(request: ProviderRequest, python: str = sys.executable) -> GatewayClusterRequest:
    """Convert the request to one for a Dask Gateway and flow runs with this interpreter."""
    plan = {each.name: getattr(request, each.name) for each in fields(WorkerPlan)}
    return GatewayClusterRequest(**plan, gateway=request.gateway, python=python)


def make_factory_arguments(request: ProviderRequest) -> dict[str, Any]:
    """Return the arguments of `gateways.cluster_factory.gateway_cluster`."""
    return {
        "request": asdict(make_gateway_request(request)),
        "share": request.shared,
        "autoclose": request.autoclose,
    }


def is_local(request: ProviderRequest) -> bool:
    """Return whether the local stack's gateway is requested, which starts Dask workers on this machine."""
    return not request.gateway


def check_requirements(request: ProviderRequest, settings: Settings) -> None:
    """Refuse a cluster that a run on this machine could not get, without contacting a gateway.

    Raises:
        ExtraMissing: dask-gateway is not installed.
        SettingsWrong: no gateway has this name.
        SizeRefused: the local stack's gateway does not offer GPUs.
    """
    connection.require_client()
    if request.gateway:
        find_gateway_settings(request.gateway, settings)
        return
    connection.require_server()
    if request.gpus:
        raise SizeRefused(
            f"This machine's Dask Gateway does not offer GPUs, which the size {request.size!r} has.",
            fix="Choose a size without GPUs, or a Dask Gateway that offers GPUs.",
            field="executor.options.worker_size",
        )


def check_offer(request: ProviderRequest, settings: Settings) -> None:
    """Refuse a cluster that a Dask Gateway of the settings does not offer. Gateways that only remote runs use are not checked.

    Raises:
        SizeRefused: the gateway does not offer that worker size; the message lists those that it offers.
        GatewayRefused: the gateway cannot separate a shared cluster from others.
        ClusterFailed: the gateway does not answer, or refuses the credential.
        SettingsWrong: the environment variable of its credential is not set.
    """
    if request.gateway not in settings.gateways:
        return
    wanted = make_gateway_request(request)
    with connection.locate_gateway(request.gateway, settings) as where, connection.connect_gateway(where) as gateway:
        offered = connection.read_cluster_options(gateway)
        try:
            cluster_request.set_options(offered, wanted, "any" if request.shared else None)
        except SizeRefused as error:
            names = cluster_request.list_offered_sizes(offered, wanted, settings.worker_sizes)
            fix = f"Choose one of {', '.join(names)}." if names else "Choose no worker size."
            raise SizeRefused(error.message, fix=fix, field=error.field) from None


GATEWAY = ClusterProvider(
    name="gateway",
    title="A Dask Gateway",
    accepted_options=frozenset({"gateway", "share"}),
    cluster_factory="satflow_ext.gateways.cluster_factory:gateway_cluster",
    make_factory_arguments=make_factory_arguments,
    is_local=is_local,
    check_requirements=check_requirements,
    check_offer=check_offer,
)
