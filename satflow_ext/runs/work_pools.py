"""Work pools and the number of Prefect workers that poll them."""

from __future__ import annotations

import asyncio

from satflow_ext.endpoints import LOCAL_POOL, PrefectApi
from satflow_ext.job_variables.fit import other_variables_schema, supported_fields
from satflow_ext.job_variables.template import Template
from satflow_ext.models import WorkPool
from satflow_ext.prefect_api import PrefectClient, prefect_client
from satflow_ext.prefect_rows import WorkPoolRow


async def list_work_pools(prefect_api: PrefectApi) -> tuple[WorkPool, ...]:
    """List all work pools, sorted by name.

    Raises:
        PrefectFailed: the API did not answer.
    """
    async with prefect_client(prefect_api) as client:
        return await read_work_pools(client)


async def read_work_pools(client: PrefectClient) -> tuple[WorkPool, ...]:
    """Read all work pools, sorted by name, with the number of Prefect workers that poll each of them now.

    Args:
        client: an open Prefect client.
    """
    pools = await client.read_work_pools()
    found = await asyncio.gather(*[_convert_pool(client, pool) for pool in pools])
    return tuple(sorted(found, key=lambda pool: pool.name))


async def _convert_pool(client: PrefectClient, pool: WorkPoolRow) -> WorkPool:
    online = sum(worker.is_online for worker in await client.read_workers(pool.name))
    template = Template.parse(pool.name, pool.type, pool.base_job_template)
    return WorkPool(
        name=pool.name,
        type=pool.type,
        paused=pool.is_paused,
        online_workers=online,
        takes=supported_fields(template),
        job_variables=other_variables_schema(template, local=pool.name == LOCAL_POOL),
    )
