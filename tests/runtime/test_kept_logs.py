"""The log of a run that is killed, or whose Prefect server is: the Prefect API gets each line that was written, once."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from prefect import flow, get_run_logger, task

from satflow_ext import lease, runs
from satflow_ext.models import Run, RunRequest
from satflow_ext.run_logs.spool import spool_folder
from satflow_ext.runs.log_follower import follow_log
from tests.flow_runs import ended
from tests.run_logs.kept import kept
from tests.run_logs.spooled import messages
from tests.run_processes import process_of_run
from tests.runtime.speaking import keeps_speaking

LINES = 300


@task
def says(number):
    get_run_logger().info("task says %s", number)


@flow(log_prints=True)
def speaks(gate: str, lines: int):
    import time
    from pathlib import Path

    for number in range(lines):
        print(f"line {number}")  # noqa: T201 - Prefect logs it
    says.map(range(3)).wait()
    while not Path(gate).exists():
        time.sleep(0.1)


@pytest.fixture
def started(stack, registered, tmp_path) -> Iterator:
    """Start a run of a flow that goes on until the gate is opened."""

    def start(flow, **parameters) -> tuple[Run, Path]:
        gate = tmp_path / "gate"
        request = RunRequest(
            deployment_id=registered(flow).deployment.id,
            parameters={"gate": str(gate), **parameters},
            idempotency_key=str(uuid4()),
        )
        return asyncio.run(runs.start_run(stack.endpoints.prefect, request)), gate

    yield start
    (tmp_path / "gate").touch()


def downloaded(stack, run: Run) -> Counter[str]:
    async def read() -> str:
        return "".join(
            [piece async for piece in runs.stream_whole_log(stack.endpoints.prefect, run.id, stack.settings)]
        )

    return Counter(line.partition(" - ")[2] for line in asyncio.run(read()).splitlines())


def followed(stack, run: Run) -> Counter[str]:
    async def where():
        return stack.endpoints.prefect

    async def read() -> list[str]:
        batches = follow_log(where, run.id, settings=stack.settings)
        return [line.message async for batch in batches for line in batch.lines]

    return Counter(asyncio.run(read()))


def wait_for_lines(stack, run: Run, count: int) -> None:
    while sum(each.startswith("line ") for each in messages(spool_folder(stack.settings), run.id)) < count:
        time.sleep(0.05)


def wait_for_upload(stack, run: Run) -> None:
    while (spool_folder(stack.settings) / run.id).exists():
        time.sleep(0.05)


def lines(found: Counter[str]) -> Counter[str]:
    return Counter({message: count for message, count in found.items() if message.startswith("line ")})


def test_each_line_is_there_while_it_runs_and_once(stack, started):
    run, gate = started(speaks, lines=LINES)
    expected = {f"line {number}" for number in range(LINES)} | {f"task says {number}" for number in range(3)}
    heard: list[str] = []

    async def where():
        return stack.endpoints.prefect

    async def watch() -> None:
        async for batch in follow_log(where, run.id, settings=stack.settings):
            heard.extend(line.message for line in batch.lines)
            if not gate.exists() and expected <= set(heard):
                gate.touch()

    asyncio.run(watch())
    assert sorted(each for each in heard if each in expected) == sorted(expected)
    assert heard.count("Finished in state Completed()") == 4, "the three tasks and the flow say the same"
    wait_for_upload(stack, run)
    assert kept(stack.endpoints.prefect, run.id) == Counter(heard) == downloaded(stack, run) == followed(stack, run)


def test_every_line_of_a_killed_run_is_kept(stack, started):
    run, _ = started(keeps_speaking)
    wait_for_lines(stack, run, 200)
    process_of_run(run.id).send_signal(signal.SIGKILL)
    ended(stack, run.id)
    followed_then = lines(followed(stack, run))
    wait_for_upload(stack, run)
    found = lines(kept(stack.endpoints.prefect, run.id))
    assert len(found) >= 200
    assert found == Counter(f"line {number}" for number in range(len(found)))
    assert followed_then == found == lines(downloaded(stack, run))


def test_every_line_is_kept_while_the_prefect_server_is_killed(stack, started):
    run, gate = started(keeps_speaking)
    wait_for_lines(stack, run, 200)
    for _ in range(2):
        server = next(each for each in lease.read_report(stack.settings).services if each.name == "prefect-server")
        os.kill(server.pid, signal.SIGKILL)
        count = sum(each.startswith("line ") for each in messages(spool_folder(stack.settings), run.id))
        wait_for_lines(stack, run, count + 200)
        while (again := _server(stack)) is None or again == server.pid:
            time.sleep(0.1)
    gate.touch()
    ended(stack, run.id)
    wait_for_upload(stack, run)
    found = lines(kept(stack.endpoints.prefect, run.id))
    assert len(found) > 600
    assert found == Counter(f"line {number}" for number in range(len(found)))


def _server(stack) -> int | None:
    """The process of a Prefect server that is ready."""
    report = lease.read_report(stack.settings)
    servers = [each for each in report.services if each.name == "prefect-server" and each.state == "ready"]
    return servers[0].pid if servers else None
