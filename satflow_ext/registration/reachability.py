"""Check that flow runs can use the store that a flow is registered with, and its Dask Gateway.

Flow runs of the local stack have the environment variables of the process that started the stack, and the settings file at the
time of their start. A store that is defined only in the environment of a later JupyterLab would be unknown to them, and every run
would fail. A Dask Gateway reports its own options.
"""

from __future__ import annotations

import asyncio
import sys

from satflow_ext import endpoints as places
from satflow_ext import lease
from satflow_ext.endpoints import Endpoints
from satflow_ext.errors import SettingsWrong, SizeRefused
from satflow_ext.executors import dask_cluster
from satflow_ext.executors.dask_cluster_options import DaskClusterOptions
from satflow_ext.gateways import cluster_request as clusters
from satflow_ext.gateways import connection
from satflow_ext.gateways.cluster_request import GatewayClusterRequest
from satflow_ext.models import ExecutorChoice
from satflow_ext.settings import LOCAL, Settings

STORE_FIX = (
    "Define the store in satflow.toml, and restart the local stack where the environment variables of its headers are set: "
    "`satflow down`, then register again."
)


async def check_store(endpoints: Endpoints, settings: Settings) -> None:
    """Refuse a store that flow runs of the local stack do not have, or have with another address or credential.

    Raises:
        SettingsWrong: the runs could not use the store.
    """
    store = endpoints.store
    if not endpoints.local or store.name == LOCAL:
        return
    report, record = await asyncio.to_thread(lambda: (lease.read_report(settings), places.read_record(settings)))
    if report is None or record is None:  # it was just stopped; the next request to Prefect reports that
        return
    known = report.stores.get(store.name)
    if known is None:
        raise SettingsWrong(
            f"The local stack, where the flow would run, has no store called {store.name!r}, or lacks its credential.",
            fix=STORE_FIX,
        )
    if known != places.fingerprint_store(store, record):
        raise SettingsWrong(
            f"The local stack, where the flow would run, has another address or credential for the store {store.name!r}.",
            fix=STORE_FIX,
        )


async def check_gateway(executor: ExecutorChoice, settings: Settings) -> None:
    """Refuse a cluster that a Dask Gateway of the settings does not offer. Gateways that only remote runs use are not checked.

    Raises:
        SizeRefused: the gateway does not offer that worker size; the message lists those that it offers.
        GatewayRefused: the gateway cannot separate a shared cluster from others.
        ClusterFailed: the gateway does not answer, or refuses the credential.
        SettingsWrong: the environment variable of its credential is not set.
    """
    if executor.name != dask_cluster.DASK_CLUSTER.name:
        return
    options = DaskClusterOptions.model_validate(executor.options)
    if options.gateway in settings.gateways:
        request = dask_cluster.gateway_request(options, settings, sys.executable)
        await asyncio.to_thread(_check_offer, request, settings, shared=options.share == "deployment")


def _check_offer(request: GatewayClusterRequest, settings: Settings, *, shared: bool) -> None:
    with connection.locate_gateway(request.gateway, settings) as where, connection.connect_gateway(where) as gateway:
        offered = connection.read_cluster_options(gateway)
        try:
            clusters.set_options(offered, request, "any" if shared else None)
        except SizeRefused as error:
            names = clusters.list_offered_sizes(offered, request, settings.worker_sizes)
            fix = f"Choose one of {', '.join(names)}." if names else "Choose no worker size."
            raise SizeRefused(error.message, fix=fix, field=error.field) from None
