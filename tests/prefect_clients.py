"""Prefect's own client, with which tests do what users, other programs and Prefect's pages do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prefect.client.orchestration import PrefectClient
from prefect.settings import PREFECT_CLIENT_CSRF_SUPPORT_ENABLED, temporary_settings

from satflow_ext.endpoints import PrefectApi


@asynccontextmanager
async def stock_client(api: PrefectApi) -> AsyncIterator[PrefectClient]:
    """An open client of that API, whatever the user's own profile is."""
    settings = {"trust_env": False}
    with temporary_settings({PREFECT_CLIENT_CSRF_SUPPORT_ENABLED: True}):
        async with PrefectClient(
            api.url, auth_string=api.auth_string, api_key=api.api_key, httpx_settings=settings
        ) as client:
            await client._client._add_csrf_headers(client._client.build_request("POST", "csrf-token"))
            yield client
