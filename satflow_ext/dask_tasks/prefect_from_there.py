"""Access of Dask workers on other machines to a Prefect API on the loopback interface of the flow run's machine.

The local stack's API is there. Some workers cannot reach it; others get a forwarded port on their own machine
(`cluster_providers/ssh_cluster.py`).
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

API_URL_VARIABLE = "SATFLOW_DASK_WORKERS_PREFECT_API"
"""Environment variable of a Dask worker with its own address of the Prefect API. It is not a setting."""

CONNECT_TIMEOUT = 5.0
"""Timeout of the connection in seconds."""

FIX = "Set prefect_api_url to a Prefect server that these machines can reach, or choose the cluster provider ssh."


def find_loopback_api() -> str | None:
    """Return the address of this flow run's Prefect API if only this machine can reach it, else None."""
    from prefect.settings import PREFECT_API_URL

    url = PREFECT_API_URL.value()
    return url if url and endpoints.is_on_loopback(url) else None


def with_worker_api_url(context: SettingsContext) -> SettingsContext:
    """Replace the address of the Prefect API in the flow run's settings by this Dask worker's own, if it has one."""
    from prefect.settings import PREFECT_API_URL

    if API_URL_VARIABLE not in os.environ:
        return context
    own = context.settings.copy_with_update(updates={PREFECT_API_URL: os.environ[API_URL_VARIABLE]})
    return context.model_copy(update={"settings": own})


def require_prefect_access(dask_client: Client) -> None:
    """Check that the Dask workers can connect to the Prefect API; tasks on one that cannot would crash.

    Raises:
        DaskClusterUnfit: a Dask worker cannot connect.
    """
    url = find_loopback_api()
    workers = _one_worker_per_host(dask_client.scheduler_info(n_workers=-1)["workers"])
    if url is None or not workers:
        return
    reached = dask_client.run(can_connect, url, workers=workers)
    lacking = [address for address, reaches_it in reached.items() if not reaches_it]
    if lacking:
        raise DaskClusterUnfit(
            f"The Dask worker at {lacking[0]} is on another machine and cannot reach the Prefect API of the local stack.",
            fix=FIX,
        )


async def can_connect(url: str) -> bool:
    """Return whether this Dask worker can connect to the Prefect API."""
    own = urlsplit(os.environ.get(API_URL_VARIABLE, url))
    try:
        connecting = asyncio.open_connection(own.hostname, own.port)
        _, writer = await asyncio.wait_for(connecting, CONNECT_TIMEOUT)
    except (OSError, asyncio.TimeoutError):
        return False
    writer.close()
    return True


def _one_worker_per_host(addresses: Iterable[str]) -> list[str]:
    by_host = {urlsplit(address).hostname: address for address in addresses}
    return [address for address in by_host.values() if not endpoints.is_on_loopback(address)]
