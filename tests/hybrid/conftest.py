"""What the local stack's own Prefect server is told, and no other: which interpreter to use, and witnesses."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from uuid import UUID

import pytest
from prefect import flow

from satflow_ext.deployments import queries
from satflow_ext.endpoints import PrefectApi
from satflow_ext.models import Registration
from satflow_ext.registration import register
from tests.hybrid.messages import messages
from tests.hybrid.recording import recorded
from tests.hybrid.sightings import At, parts
from tests.prefect_clients import stock_client


@flow
def does_nothing():
    pass


@pytest.fixture
def at_home(stack, packed, name) -> set[At]:
    """The fields of registering, of registering again what somebody has deleted in Prefect, and of deleting it."""
    api, content = stack.endpoints.prefect, packed(does_nothing)
    with recorded(api.url) as recording:
        there = replace(stack.endpoints, prefect=PrefectApi(recording.url, auth_string=api.auth_string))
        made = asyncio.run(register(content, Registration(name=name), there, stack.settings))
        asyncio.run(_delete_in_prefect(api, made.deployment.id))
        again = register(content, Registration(name=name, tags=("again",)), there, stack.settings, overwrite=True)
        made = asyncio.run(again)
        asyncio.run(queries.delete_deployment(there, stack.settings, made.deployment.id))
    return {at for each in messages(recording) for at, _ in parts(each)}


async def _delete_in_prefect(api: PrefectApi, deployment_id: str) -> None:
    async with stock_client(api) as client:
        await client.delete_deployment(UUID(deployment_id))
