"""The log lines of a run that the Prefect API has."""

from __future__ import annotations

import asyncio
from collections import Counter
from uuid import UUID

from satflow_ext.endpoints import PrefectApi
from satflow_ext.prefect_api import prefect_client
from satflow_ext.runs.log_pages import read_log_pages


def kept(api: PrefectApi, run_id: str) -> Counter[str]:
    """How often the Prefect API has each message."""

    async def read() -> Counter[str]:
        async with prefect_client(api) as client:
            pages = [page async for page in read_log_pages(client, UUID(run_id))]
        return Counter({each.id: each.message for page in pages for each in page}.values())

    return asyncio.run(read())
