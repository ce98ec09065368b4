"""How Dask workers on other machines reach a Prefect API on the loopback of the flow run's, where the local stack's is.

Some cannot; others are handed a port of their own machine from which a connection leads there (`backends/ssh_worker.py`).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from satflow_ext import endpoints
from satflow_ext.errors import DaskClusterUnfit

if TYPE_CHECKING:
    from distributed import Client
    from prefect.context import SettingsContext

URL = "SATFLOW_DASK_WORKERS_PREFECT_API"
"""Environment variable of a Dask worker: where it has the Prefect API, if not where the flow run has it. It is no setting."""

CONNECT = 5.0
"""Seconds."""

FIX = "Give the settings a Prefect server that those machines reach too (prefect_api_url), or choose the back end ssh."


def api_on_loopback() -> str | None:
    """The address of this flow run's Prefect API where only this machine reaches it."""
    from prefect.settings import PREFECT_API_URL

    url = PREFECT_API_URL.value()
    return url if url and endpoints.on_loopback(url) else None


def with_own_address(context: SettingsContext) -> SettingsContext:
    """The flow run's settings, with the address of the Prefect API that this Dask worker was given for its own."""
    from prefect.settings import PREFECT_API_URL

    if URL not in os.environ:
        return context
    own = context.settings.copy_with_update(updates={PREFECT_API_URL: os.environ[URL]})
    return context.model_copy(update={"settings": own})


def need_prefect(dask_client: Client) -> None:
    """Refuse a cluster of which a Dask worker cannot connect to the Prefect API: each of its tasks would crash.

    Raises:
        DaskClusterUnfit: one cannot.
    """
    url = api_on_loopback()
    asked = _one_of_each_host(dask_client.scheduler_info(n_workers=-1)["workers"])
    if url is None or not asked:
        return
    reached = dask_client.run(reaches, url, workers=asked)
    lacking = [address for address, reaches_it in reached.items() if not reaches_it]
    if lacking:
        raise DaskClusterUnfit(
            f"The Dask worker at {lacking[0]} is on another machine, and does not reach the Prefect API of the local stack.",
            fix=FIX,
        )


async def reaches(url: str) -> bool:
    """Whether this Dask worker can connect to it."""
    own = urlsplit(os.environ.get(URL, url))
    try:
        connecting = asyncio.open_connection(own.hostname, own.port)
        _, writer = await asyncio.wait_for(connecting, CONNECT)
    except (OSError, asyncio.TimeoutError):
        return False
    writer.close()
    return True


def _one_of_each_host(addresses: Iterable[str]) -> list[str]:
    by_host = {urlsplit(address).hostname: address for address in addresses}
    return [address for address in by_host.values() if not endpoints.on_loopback(address)]
