"""What rests while the stack is idle is woken by work."""

from __future__ import annotations

import asyncio
import signal
import socket
from datetime import timedelta
from typing import Any

import pytest
import uvicorn
from burner_redis import PubSub
from docket import CurrentExecution, Execution
from prefect.server.api import background_workers, server
from prefect.settings.models.root import Settings as PrefectSettings

from satflow_ext.settings import load_settings
from satflow_ext.stack import prefect_server, service_environment

LONG = timedelta(hours=1)


@pytest.fixture
def slowed_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prefect's server in this process, with a queue of background tasks that looks for new ones once an hour."""
    for owner, name in ((server, "Docket"), (background_workers, "Worker"), (PubSub, "get_message")):
        monkeypatch.setattr(owner, name, getattr(owner, name))  # restored after the test
    monkeypatch.setattr(prefect_server, "DOCKET_POLL", LONG)
    monkeypatch.setattr(prefect_server, "DOCKET_HEARTBEAT", LONG)
    prefect_server.slow_down_docket()


def test_a_background_task_wakes_its_worker_and_can_be_cancelled(slowed_down: None) -> None:
    started: list[str] = []

    async def work(execution: Execution = CurrentExecution()) -> None:  # noqa: B008 - as docket is used
        started.append(execution.key)
        if execution.key == "endless":
            await asyncio.Event().wait()

    async def run_both() -> None:
        async with server.Docket(name="idle", url="memory://idle") as docket:
            docket.register(work)
            async with background_workers.Worker(docket) as worker:
                running = asyncio.create_task(worker.run_forever())
                await docket.add(work, key="first")()
                await wait_until(lambda: started == ["first"])
                await docket.add(work, key="endless")()
                await wait_until(lambda: started == ["first", "endless"])
                ending = worker._tasks_by_key["endless"]
                await docket.cancel("endless")
                await wait_until(ending.done)
                running.cancel()

    asyncio.run(run_both())


async def wait_until(condition: Any) -> None:
    while not condition():  # noqa: ASYNC110 - of other libraries' objects
        await asyncio.sleep(0.01)


def test_a_signal_wakes_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefect_server, "DATE_PAUSE", LONG.total_seconds())
    received: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: received.append(number))

    async def serve(listener: socket.socket) -> None:
        serving = prefect_server.IdleServer(uvicorn.Config(lambda *_: None, lifespan="off", log_config=None))
        task = asyncio.create_task(serving.serve(sockets=[listener]))
        await wait_until(lambda: serving.started)
        signal.raise_signal(signal.SIGTERM)
        await task

    try:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            asyncio.run(serve(listener))
    finally:
        signal.signal(signal.SIGTERM, before)
    assert received == [signal.SIGTERM]


@pytest.mark.parametrize("name", service_environment.IDLE_INTERVALS)
def test_each_interval_is_a_setting_of_prefect_that_the_user_can_replace(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = set()
    for user in ({}, {name: "PT77S" if "PT" in service_environment.IDLE_INTERVALS[name] else "77"}):
        made = service_environment.prefect_server_environment(user, load_settings(), "user:word")
        monkeypatch.setenv(name, made[name])
        values.add(PrefectSettings().model_dump_json(include={"server": {"services", "events"}}))
    monkeypatch.delenv(name)
    values.add(PrefectSettings().model_dump_json(include={"server": {"services", "events"}}))
    assert len(values) == 3, f"{name} changes no setting"
