"""What somebody does in Prefect itself."""

from __future__ import annotations

import asyncio

from prefect.client.schemas.actions import WorkPoolCreate

from tests.prefect_clients import stock_client


def in_prefect(stack, work):
    """Do something with a Prefect client, as Prefect's own screens would."""

    async def do():
        async with stock_client(stack.endpoints.prefect) as client:
            return await work(client)

    return asyncio.run(do())


async def make_work_pool(endpoints, name):
    """Make a work pool for processes."""
    async with stock_client(endpoints.prefect) as client:
        await client.create_work_pool(WorkPoolCreate(name=name, type="process"), overwrite=True)
