"""Scheduled runs missed while the local stack was off: those that the deployment wants start, the others say why not."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID

import pytest
from prefect import flow
from prefect.client.schemas.actions import WorkPoolUpdate
from prefect.client.schemas.objects import State
from prefect.states import Pending, Running, Scheduled

from satflow_ext import lease
from satflow_ext.endpoints import LOCAL_POOL, StackRecord
from satflow_ext.settings import Settings
from satflow_ext.stack import missed_runs, service_environment
from satflow_ext.stack.missed_runs import (
    MIN_CLOCK_JUMP,
    SKIP_MESSAGES,
    ClockJumpDetector,
    read_missed_run_choices,
    select_superseded,
)
from satflow_ext.stack.prefect_calls import Credential, PrefectCalls, ScheduledRun
from tests.eventually import eventually
from tests.local_stack import Stack
from tests.prefect_clients import stock_client
from tests.stack.place import Place
from tests.stack.sleeping import api_of

NOON = datetime(2026, 11, 29, 12, tzinfo=timezone.utc)
FLOW = """
import time
from prefect import flow

@flow
def counted():
    time.sleep(0.1)
"""


def missed(deployment: str, *minutes: int) -> list[ScheduledRun]:
    """Runs that should have started at these minutes after noon."""
    return [
        ScheduledRun(
            id=f"{deployment} {minute}",
            deployment=deployment,
            flow_id="f",
            auto_scheduled=True,
            expected_start_time=NOON + timedelta(minutes=minute),
        )
        for minute in minutes
    ]


@pytest.mark.parametrize(
    ("choices", "skipped"),
    [
        ({}, []),
        ({"a/a": "all", "b/b": "all"}, []),
        ({"a/a": "last"}, ["a/a 1", "a/a 2"]),
        ({"a/a": "none"}, ["a/a 1", "a/a 2", "a/a 3"]),
        ({"a/a": "last", "b/b": "last"}, ["a/a 1", "a/a 2"]),
        ({"a/a": "last", "b/b": "none"}, ["a/a 1", "a/a 2", "b/b 5"]),
    ],
)
def test_each_deployment_has_its_own_choice(choices, skipped):
    runs = [*missed("a/a", 3, 1), *missed("b/b", 5), *missed("a/a", 2)]
    superseded = select_superseded(runs, choices)
    assert [run.id for run, _ in superseded] == skipped
    assert {message for _, message in superseded} <= set(SKIP_MESSAGES.values())


def test_the_choice_is_read_from_the_journal(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    folder.mkdir()
    write_entry(folder, "f/old", {})
    write_entry(folder, "f/none", {"missed_runs": "none"})
    write_entry(folder, "f/all", {"missed_runs": "all"})
    write_entry(folder, "f/elsewhere", {"missed_runs": "none"}, prefect="https://prefect.example/api")
    (folder / "torn.json").write_text('{"prefect": "loc')
    (folder / "begun.json").write_text(json.dumps({"prefect": "local", "full_name": "f/begun", "written": None}))
    assert read_missed_run_choices(Settings(state_dir=tmp_path)) == {"f/old": "last", "f/none": "none", "f/all": "all"}


def write_entry(folder: Path, full_name: str, written: dict[str, str], prefect: str = "local") -> None:
    """The part of a journal entry that counts here."""
    name = full_name.replace("/", "-")
    (folder / f"{name}.json").write_text(json.dumps({"prefect": prefect, "full_name": full_name, "written": written}))


def test_a_stack_that_starts_skips_what_is_superseded(whole: Place, tmp_path: Path) -> None:
    (tmp_path / "counted.py").write_text(FLOW)
    with lease.acquire_lease(whole.settings) as held:
        assert held.record is not None
        runs = asyncio.run(plan_runs(held.record, tmp_path))
        with contextlib.closing(open_database(whole)) as database, database:
            database.execute("UPDATE flow_run SET auto_scheduled = 1")  # as if the schedule had made them
        assert asyncio.run(expected_hours(held.record, since=2.5)) == [2, 2, 2, 1, 1, 1]
    whole.wait_gone()
    journal = whole.settings.state_dir / "journal"
    journal.mkdir(mode=0o700, exist_ok=True)
    write_entry(journal, "counted/last", {"missed_runs": "last"})
    write_entry(journal, "counted/none", {"missed_runs": "none"})
    with contextlib.closing(open_database(whole)) as database, database:
        database.execute("UPDATE work_pool SET is_paused = 0")
    with lease.acquire_lease(whole.settings) as held:
        record = held.record
        assert record is not None
        eventually(lambda: all("Scheduled" not in each for each in outcomes(record, runs).values()), "all", seconds=300)
        eventually(lambda: not unfinished(record, runs), "the end of all runs", seconds=300)
        assert outcomes(record, runs) == {
            "last": ["Skipped", "Skipped", "Completed"],
            "none": ["Skipped", "Skipped", "Skipped"],
            "theirs": ["Completed", "Completed", "Completed"],
        }


def test_a_jump_of_the_clock_is_pending_until_it_is_settled() -> None:
    jumps = ClockJumpDetector(1000.0, 50.0)
    jumps.compare_clocks(1001.0, 51.0)
    jumps.compare_clocks(1002.0 + MIN_CLOCK_JUMP, 52.0)  # as much as is not a jump
    assert jumps.pending_since is None
    jumps.compare_clocks(5000.0, 53.0)
    jumps.compare_clocks(5001.0, 54.0)
    jumps.compare_clocks(9000.0, 55.0)
    assert jumps.pending_since == 1002.0 + MIN_CLOCK_JUMP
    jumps.clear_jump()
    jumps.compare_clocks(9001.0, 56.0)
    jumps.compare_clocks(4000.0, 57.0)  # set back
    assert jumps.pending_since is None


def test_what_was_not_skipped_after_a_jump_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a server that is not well at first, as one that is started again."""
    attempts = asyncio.Queue[bytes]()
    real, jump = time.time, [0.0]
    monkeypatch.setattr(time, "time", lambda: real() + jump[0])
    monkeypatch.setattr(missed_runs, "CLOCK_CHECK_PAUSE", 0.05)

    async def unwell(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        attempts.put_nowait(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    async def jumps_once() -> None:
        async with await asyncio.start_server(unwell, "127.0.0.1", 0) as server:
            host, port = server.sockets[0].getsockname()
            credential = Credential(f"http://{host}:{port}/api", "a:b")
            keeping = asyncio.create_task(missed_runs.watch_missed_runs(Settings(state_dir=tmp_path), credential))
            await asyncio.sleep(0)  # it reads the clocks
            jump[0] = 3600.0
            for _ in range(3):
                assert b"csrf-token" in await attempts.get()
            keeping.cancel()

    asyncio.run(asyncio.wait_for(jumps_once(), 120))


def test_a_run_that_was_taken_in_the_meantime_is_not_skipped(stack: Stack) -> None:
    async def skips() -> None:
        credential = Credential(stack.record.prefect_url or "", stack.record.prefect_auth or "")
        async with stock_client(api_of(stack.record)) as client, PrefectCalls(credential) as calls:
            for taken in (Pending(), Running()):
                run = await client.create_flow_run(counted, state=Scheduled(scheduled_time=NOON))
                await client.set_flow_run_state(run.id, taken, force=True)
                assert not await calls.skip_run(str(run.id), "superseded")
                state = (await client.read_flow_run(run.id)).state
                assert state is not None
                assert state.type == taken.type
            waits = await client.create_flow_run(counted, state=Scheduled(scheduled_time=NOON))
            assert await calls.skip_run(str(waits.id), "superseded")
            state = (await client.read_flow_run(waits.id)).state
            assert state is not None
            assert (state.name, state.message) == ("Skipped", "superseded")

    asyncio.run(skips())


@flow
def counted() -> None:
    """Nothing that is executed here."""


def open_database(place: Place) -> sqlite3.Connection:
    """The Prefect server's database."""
    return sqlite3.connect(
        service_environment.prefect_home(place.settings) / service_environment.DATABASE_FILE, timeout=60
    )


async def plan_runs(record: StackRecord, folder: Path) -> dict[str, list[UUID]]:
    """Three deployments with three runs each that should have started already; no Prefect worker gets them yet."""
    runs: dict[str, list[UUID]] = {}
    now = datetime.now(timezone.utc)
    async with stock_client(api_of(record)) as client:
        await client.update_work_pool(LOCAL_POOL, WorkPoolUpdate(is_paused=True))
        flow = await client.create_flow_from_name("counted")
        for name in ("last", "none", "theirs"):
            deployment = await client.create_deployment(
                flow,
                name=name,
                entrypoint="counted.py:counted",
                path=str(folder),
                work_pool_name=LOCAL_POOL,
                job_variables={"command": f"{sys.executable} -m prefect.engine"},
            )
            made = [
                await client.create_flow_run_from_deployment(
                    deployment, state=Scheduled(scheduled_time=now - timedelta(hours=hours))
                )
                for hours in (3, 2, 1)
            ]
            runs[name] = [each.id for each in made]
    return runs


async def expected_hours(record: StackRecord, *, since: float) -> list[int]:
    """How many hours ago the runs should have started that were missed since so many hours ago."""
    now = datetime.now(timezone.utc)
    async with PrefectCalls(Credential(record.prefect_url or "", record.prefect_auth or "")) as calls:
        missed = await calls.read_missed_runs(now, now - timedelta(hours=since))
    return [round((now - run.expected_start_time) / timedelta(hours=1)) for run in missed]


def outcomes(record: StackRecord, runs: dict[str, list[UUID]]) -> dict[str, list[str]]:
    """The names of the runs' states now."""
    return {name: [each.name or "" for each in states(record, ids)] for name, ids in runs.items()}


def unfinished(record: StackRecord, runs: dict[str, list[UUID]]) -> list[State]:
    """The states of runs that go on."""
    return [each for ids in runs.values() for each in states(record, ids) if not each.is_final()]


def states(record: StackRecord, ids: list[UUID]) -> list[State]:
    """The states of runs, in their order."""

    async def read() -> list[State]:
        async with stock_client(api_of(record)) as client:
            found = [(await client.read_flow_run(each)).state for each in ids]
        return [state for state in found if state is not None]

    return asyncio.run(read())
