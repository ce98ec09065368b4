"""Work pools, deployments and flow runs that tests make in a Prefect server, without our code."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import WorkPoolCreate

from satflow_ext.endpoints import PrefectApi
from tests.prefect_clients import stock_client

T = TypeVar("T")

SCHEMA = {
    "type": "object",
    "properties": {"n": {"type": "integer"}, "names": {"type": "array", "items": {"type": "string"}}},
    "required": ["n"],
}


class Prefect:
    """The Prefect server, spoken to without our code."""

    def __init__(self, api: PrefectApi) -> None:
        self.api = api

    def ask(self, question: Callable[[PrefectClient], Awaitable[T]]) -> T:
        """What one coroutine over an open client gives."""

        async def asked() -> T:
            async with stock_client(self.api) as client:
                return await question(client)

        return asyncio.run(asked())

    def pool(self, name: str) -> str:
        """A work pool that nobody polls."""

        async def make(client: PrefectClient) -> None:
            await client.create_work_pool(WorkPoolCreate(name=name, type="process"), overwrite=True)

        self.ask(make)
        return name

    def deployment(self, name: str, **options: object) -> str:
        """A deployment's id."""

        async def make(client: PrefectClient) -> UUID:
            flow_id = await client.create_flow_from_name("demo")
            return await client.create_deployment(
                flow_id=flow_id, name=name, parameter_openapi_schema=SCHEMA, **{"work_pool_name": None, **options}
            )

        return str(self.ask(make))

    def run(self, state: str = "RUNNING") -> str:
        """The id of a flow run that no process has."""

        async def make(client: PrefectClient) -> str:
            flow_id = await client.create_flow_from_name("demo")
            reply = await client.request(
                "POST", "/flow_runs/", json={"flow_id": str(flow_id), "state": {"type": state}}
            )
            return str(reply.json()["id"])

        return self.ask(make)


async def until_pool_exists(api: PrefectApi, name: str) -> None:
    """Wait until a Prefect worker has made its work pool."""
    async with stock_client(api) as client:
        while name not in {pool.name for pool in await client.read_work_pools()}:  # noqa: ASYNC110  # another process makes it
            await asyncio.sleep(0.2)
