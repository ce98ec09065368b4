"""Runs that no process has."""

from __future__ import annotations

from tests.prefect_clients import stock_client


async def new_run(api) -> str:
    async with stock_client(api) as client:
        flow_id = await client.create_flow_from_name("streamed")
        reply = await client.request(
            "POST", "/flow_runs/", json={"flow_id": str(flow_id), "state": {"type": "RUNNING"}}
        )
        return str(reply.json()["id"])
