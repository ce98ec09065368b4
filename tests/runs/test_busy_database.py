"""A Prefect server on SQLite that says 503 because others write is asked until it is our turn."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from satflow_ext import runs
from satflow_ext.endpoints import PrefectApi
from satflow_ext.models import RunRequest
from tests.prefect_servers import serving_prefect

WRITES = 0.5
"""Seconds in which somebody writes without a break, before the server has its turn."""

RUNS = 8


@pytest.fixture(scope="module")
def prefect_api(house) -> Iterator[PrefectApi]:
    """A stock server: in the local stack's own, writers wait for each other (docs/decisions/0025)."""
    with serving_prefect(house / "busy-prefect", "prefect", "server", "start") as api:
        yield api


@pytest.fixture
def other_writer(prefect_api, house) -> Iterator[None]:
    """Somebody who commits something to the server's database every few milliseconds, and then lets it commit once."""
    over = threading.Event()
    writer = threading.Thread(target=_write, args=(house / "busy-prefect" / "prefect.db", over))
    writer.start()
    yield
    over.set()
    writer.join()


def _write(database: Path, over: threading.Event) -> None:
    with closing(sqlite3.connect(database, timeout=30, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS other_writer (n INTEGER)")
        while not over.is_set():
            rest = time.monotonic() + WRITES
            while time.monotonic() < rest:
                connection.execute("INSERT INTO other_writer VALUES (1)")
                time.sleep(0.002)
            _wait_for_others(connection, over)
        connection.execute("DROP TABLE other_writer")


def _wait_for_others(connection: sqlite3.Connection, over: threading.Event) -> None:
    """Wait until another connection has committed something, however slow the machine is."""
    seen = _read_data_version(connection)
    while not over.wait(0.01) and _read_data_version(connection) == seen:
        pass


def _read_data_version(connection: sqlite3.Connection) -> int:
    """SQLite's counter of what other connections have committed."""
    return int(connection.execute("PRAGMA data_version").fetchone()[0])


async def _until_refused(api: PrefectApi, deployment: str) -> httpx.Response:
    assert api.auth_string is not None
    credential = httpx.BasicAuth(*api.auth_string.split(":", 1))
    async with httpx.AsyncClient(auth=credential, trust_env=False) as client:
        while True:
            url = f"{api.url}/deployments/{deployment}/create_flow_run"
            made = await client.post(url, json={"parameters": {"n": 1}})
            if made.status_code != httpx.codes.CREATED:
                return made


def _request(deployment: str, n: int) -> RunRequest:
    return RunRequest(deployment_id=deployment, parameters={"n": n}, idempotency_key=f"busy-{n}")


def test_runs_start_while_somebody_else_writes(prefect_api, prefect, other_writer) -> None:
    deployment = prefect.deployment("busy", work_pool_name=prefect.pool("nobody"))
    assert asyncio.run(_until_refused(prefect_api, deployment)).status_code == httpx.codes.SERVICE_UNAVAILABLE

    async def start() -> set[str]:
        requests = [_request(deployment, n) for n in range(RUNS)]
        return {each.id for each in await asyncio.gather(*[runs.start_run(prefect_api, each) for each in requests])}

    assert len(asyncio.run(start())) == RUNS
