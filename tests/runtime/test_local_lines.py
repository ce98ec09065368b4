"""A run of the local stack writes its lines on this machine as well, and who follows it there sees each of them once."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from uuid import uuid4

from prefect import flow, get_run_logger, task

from satflow_ext import local_log, runs
from satflow_ext.models import RunRequest
from satflow_ext.runs.follow import follow
from satflow_ext.runtime.local_lines import LocalLogHandler
from tests.registration.conftest import name, packed, registered

__all__ = ["name", "packed", "registered"]

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


def test_each_line_is_there_while_it_runs_and_once(stack, registered, tmp_path):
    gate = tmp_path / "gate"
    parameters = {"gate": str(gate), "lines": LINES}
    request = RunRequest(
        deployment_id=registered(speaks).deployment.id, parameters=parameters, idempotency_key=str(uuid4())
    )
    run = asyncio.run(runs.start(stack.endpoints.prefect, request))
    file = local_log.path(stack.settings, run.id)
    expected = {f"line {number}" for number in range(LINES)} | {f"task says {number}" for number in range(3)}
    messages: list[str] = []

    async def watch() -> None:
        async for batch in follow(where, run.id, here=stack.settings):
            messages.extend(line.message for line in batch.lines)
            if not gate.exists() and expected <= set(messages):
                assert expected <= written(file.read_bytes())
                assert file.stat().st_mode & 0o077 == 0
                gate.touch()

    async def where():
        return stack.endpoints.prefect

    asyncio.run(watch())
    assert sorted(each for each in messages if each in expected) == sorted(expected)
    assert messages.count("Finished in state Completed()") == 4, "the three tasks and the flow say the same"
    assert not file.exists()


def test_a_full_file_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(local_log, "LIMIT", 500)
    file = tmp_path / "lines"
    handler = LocalLogHandler(os.open(file, os.O_WRONLY | os.O_CREAT))
    for number in range(10):
        record = logging.makeLogRecord(
            {"name": "prefect.flow_runs", "msg": f"line {number}", "levelno": logging.INFO, "flow_run_id": str(uuid4())}
        )
        assert handler.prepare(record)["message"] == f"line {number}"
    assert written(file.read_bytes()) == {"line 0", "line 1"}


def written(content: bytes) -> set[str]:
    return {json.loads(each)["message"] for each in content.splitlines(keepends=True) if each.endswith(b"\n")}
