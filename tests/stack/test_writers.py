"""Many who write to the local stack's Prefect server at once, and do not ask twice."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import httpx
import sqlalchemy as sa
from prefect.server.database.configurations import AioSqliteConfiguration

from satflow_ext.stack import prefect_server
from tests.local_stack import Stack

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


async def order_of_turns(url: str) -> tuple[list[int], list[str]]:
    """The order in which transactions begin that were asked for in the order of their numbers, and what they wrote."""
    database = AioSqliteConfiguration(url)
    engine = await database.engine()
    begun = []

    async def write(number: int) -> None:
        async with await database.session(engine) as session, database.begin_transaction(session):
            await session.execute(sa.text("INSERT INTO said VALUES (:word)"), {"word": str(number)})
            begun.append(number)
            await asyncio.sleep(0.01)  # the others ask meanwhile

    async with await database.session(engine) as session, database.begin_transaction(session):
        await session.execute(sa.text("CREATE TABLE said (word TEXT)"))
    await asyncio.gather(*(write(number) for number in range(WRITERS)))
    async with await database.session(engine) as session:
        said = list(await session.scalars(sa.text("SELECT word FROM said")))
    await engine.dispose()
    return begun, said


def test_who_asks_first_writes_first(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(AioSqliteConfiguration, "begin_transaction", AioSqliteConfiguration.begin_transaction)
    prefect_server.serialize_transactions()
    begun, said = asyncio.run(order_of_turns(f"sqlite+aiosqlite:///{tmp_path / 'turns.db'}"))
    assert begun == list(range(WRITERS))
    assert said == [str(number) for number in begun]


def test_a_transaction_within_one_does_not_wait_for_itself(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(AioSqliteConfiguration, "begin_transaction", AioSqliteConfiguration.begin_transaction)
    prefect_server.serialize_transactions()

    async def nested() -> str:
        database = AioSqliteConfiguration(f"sqlite+aiosqlite:///{tmp_path / 'turns.db'}")
        engine = await database.engine()
        session = await database.session(engine)
        other = await database.session(engine)
        async with session, other, database.begin_transaction(session), database.begin_transaction(other):
            said = await session.scalar(sa.text("SELECT 'inside'"))
        await engine.dispose()
        return str(said)

    assert asyncio.run(nested()) == "inside"
