"""Many who write to the local stack's Prefect server at once, and do not ask twice."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import httpx

from tests.conftest import Stack

WRITERS = 16


async def tells_of_a_run(http: httpx.AsyncClient) -> list[int]:
    """What a flow run says from its beginning to its end; gives the status of each answer."""
    flow = await http.post("/flows/", json={"name": f"writers-{uuid4().hex}"})
    run = await http.post("/flow_runs/", json={"flow_id": flow.json()["id"], "state": {"type": "PENDING"}})
    place = f"/flow_runs/{run.json()['id']}/set_state"
    states = [await http.post(place, json={"state": {"type": kind}}) for kind in ("RUNNING", "COMPLETED")]
    return [answer.status_code for answer in (flow, run, *states)]


async def together(stack: Stack) -> list[int]:
    user, _, password = str(stack.record.prefect_auth).partition(":")
    async with httpx.AsyncClient(base_url=str(stack.record.prefect_url), auth=(user, password), timeout=120) as http:
        token = (await http.get("/csrf-token", params={"client": "writers"})).json()["token"]
        http.headers.update({"Prefect-Csrf-Client": "writers", "Prefect-Csrf-Token": token})
        said = await asyncio.gather(*(tells_of_a_run(http) for _ in range(WRITERS)))
    return [status for each in said for status in each]


def test_writers_wait_for_each_other(stack: Stack) -> None:
    assert asyncio.run(together(stack)) == [201] * 4 * WRITERS
