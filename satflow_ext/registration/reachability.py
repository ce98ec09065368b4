"""Check that flow runs can use the store that a flow is registered with, and that their cluster is offered.

Flow runs of the local stack have the environment variables of the process that started the stack, and the settings file at the
time of their start. A store that is defined only in the environment of a later JupyterLab would be unknown to them, and every run
would fail. A cluster provider checks its own offer, such as the options of a Dask Gateway.
"""

from __future__ import annotations

import asyncio

from satflow_ext import cluster_providers, executors, lease
from satflow_ext import endpoints as places
from satflow_ext.endpoints import Endpoints
from satflow_ext.errors import SettingsWrong
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


async def check_offer(executor: ExecutorChoice, settings: Settings) -> None:
    """Refuse a cluster that the service of its provider does not offer, regardless of the machine of the runs.

    Raises:
        SizeRefused: the service does not offer that worker size; the message lists those that it offers.
        GatewayRefused: a Dask Gateway cannot separate a shared cluster from others.
        ClusterFailed: the service does not answer, or refuses the credential.
        SettingsWrong: the environment variable of its credential is not set.
    """
    request = executors.find_provider_request(executor, settings)
    if request is not None:
        await asyncio.to_thread(cluster_providers.find_provider(request.backend).check_offer, request, settings)
