"""Whether the flow runs of the local stack can read from the store that a flow is about to be registered with.

They have the settings of whoever started the stack, and the settings file as it is when they start: a store that only a later
JupyterLab's environment names would be unknown to them, and every run would fail.
"""

from __future__ import annotations

import asyncio

from satflow_ext import endpoints as places
from satflow_ext import lease
from satflow_ext.endpoints import Endpoints
from satflow_ext.errors import SettingsWrong
from satflow_ext.settings import LOCAL, Settings

FIX = (
    "Put it into satflow.toml, and start the local stack again from where the variables of its headers are set: "
    "`satflow down`, then register again."
)


async def check_store(endpoints: Endpoints, settings: Settings) -> None:
    """Refuse a store that flow runs of the local stack do not know, or not with this address and credential.

    Raises:
        SettingsWrong: it is such a store.
    """
    store = endpoints.store
    if not endpoints.local or store.name == LOCAL:
        return
    report, record = await asyncio.to_thread(lambda: (lease.report(settings), places.read_record(settings)))
    if report is None or record is None:  # it has just been stopped; asking Prefect will say so
        return
    known = report.stores.get(store.name)
    if known is None:
        raise SettingsWrong(
            f"The local stack, where the flow would run, has no store called {store.name!r}, or not its credential.",
            fix=FIX,
        )
    if known != places.store_mark(store, record):
        raise SettingsWrong(
            f"The local stack, where the flow would run, knows the store {store.name!r} with another address or credential.",
            fix=FIX,
        )
