"""A service that dies is started again, as long as it does some work in between."""

from __future__ import annotations

import asyncio
import math
import os
import re
import signal
import socket
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from satflow_ext.errors import StackFailed
from satflow_ext.lease.start import STACK_MARK
from satflow_ext.settings import Settings
from satflow_ext.stack import service_definitions, service_keeper, start_progress
from satflow_ext.stack.prefect_calls import Credential
from satflow_ext.stack.process import ProcessPlan
from satflow_ext.stack.service_keeper import MAX_RESTARTS, ServiceDefinition, ServiceKeeper
from tests.eventually import eventually_async

pytestmark = pytest.mark.slow


@pytest.fixture
def role(tmp_path) -> ServiceDefinition:
    async def ready() -> bool:
        return True

    environment = {**os.environ, STACK_MARK: str(tmp_path)}
    plan = ProcessPlan("pages", ("http.server", "--bind", "127.0.0.1", "0"), environment, tmp_path / "pages.log")
    return ServiceDefinition(plan, None, ready)


async def killed(kept: ServiceKeeper, times: int) -> None:
    """Kill it as often, each time as soon as it is there again."""
    for _ in range(times):
        await eventually_async(lambda: kept.pid is not None and kept.build_report().state == "ready")
        last = kept.pid
        os.kill(last, signal.SIGKILL)
        await eventually_async(lambda last=last: kept.pid != last)


@pytest.mark.parametrize(
    ("healthy", "deaths", "state"), [(0.0, MAX_RESTARTS + 3, "ready"), (600.0, MAX_RESTARTS + 1, "failed")]
)
def test_is_left_alone_when_it_dies_too_often_in_a_row(role, monkeypatch, healthy, deaths, state):
    monkeypatch.setattr(service_keeper, "HEALTHY_UPTIME", healthy)

    async def lives() -> None:
        kept = ServiceKeeper(role)
        await kept.start()
        try:
            await killed(kept, deaths)
            await eventually_async(
                lambda: kept.build_report().state == state and (kept.pid is None) == (state == "failed")
            )
        finally:
            await kept.stop(5)

    asyncio.run(asyncio.wait_for(lives(), 120))


WORKS = "import sys, time; [sum(range(10**6)) for _ in iter(lambda: time.process_time() < 4, False)]; open(sys.argv[1], 'w')"
SPEAKS = "import sys, time; [(print(i, flush=True), time.sleep(0.2)) for i in range(20)]; open(sys.argv[1], 'w')"
SLEEPS = "import time; time.sleep(600)"


def starting(tmp_path, code: str, *, limit: float = math.inf) -> ServiceKeeper:
    """A service that is ready once it has made a file."""
    (tmp_path / "slow_service.py").write_text(code)
    ready_file = tmp_path / "ready"

    async def ready() -> bool:
        return ready_file.exists()

    environment = {**os.environ, STACK_MARK: str(tmp_path), "PYTHONPATH": str(tmp_path)}
    plan = ProcessPlan("slow", ("slow_service", str(ready_file)), environment, tmp_path / "slow.log")
    return ServiceKeeper(ServiceDefinition(plan, None, ready, start_timeout=limit))


@pytest.mark.parametrize("code", [WORKS, SPEAKS])
def test_is_waited_for_as_long_as_it_makes_progress(tmp_path, monkeypatch, code):
    monkeypatch.setattr(start_progress, "STALL_TIMEOUT", 3.0)  # less than either takes

    async def starts() -> None:
        kept = starting(tmp_path, code)
        await kept.start()
        assert kept.build_report().state == "ready"
        await kept.stop(5)

    asyncio.run(starts())


def test_is_given_up_when_it_makes_none(tmp_path, monkeypatch):
    monkeypatch.setattr(start_progress, "STALL_TIMEOUT", 3.0)

    async def stalls() -> None:
        kept = starting(tmp_path, SLEEPS)
        with pytest.raises(StackFailed, match=r"slow is not ready: it has made no progress.*slow\.log"):
            await kept.start()
        assert kept.build_report().state == "failed"
        await kept.stop(5)

    asyncio.run(stalls())


def test_is_given_up_after_its_limit_although_it_works_and_logs(tmp_path):
    async def works_for_nothing() -> None:
        kept = starting(
            tmp_path, "import time\nwhile True:\n    print('not yet', flush=True)\n    time.sleep(0.1)", limit=2.0
        )
        with pytest.raises(
            StackFailed, match=r"slow is not ready: it did not start within 2 s\. Its log is .*slow\.log"
        ):
            await kept.start()
        assert kept.build_report().state == "failed"
        await kept.stop(5)

    asyncio.run(asyncio.wait_for(works_for_nothing(), 300))


def test_the_limit_of_the_prefect_worker_begins_when_its_server_answers(role):
    async def begins() -> None:
        answers = asyncio.Event()
        kept = ServiceKeeper(replace(role, before_start=answers.wait, start_timeout=0.0))
        starts = asyncio.create_task(kept.start())
        await eventually_async(lambda: kept.pid is not None)
        answers.set()
        await starts
        assert kept.build_report().state == "ready"
        await kept.stop(5)

    asyncio.run(asyncio.wait_for(begins(), 300))
    settings = Settings()
    assert (
        0
        < service_definitions.define_prefect_worker(
            settings, Credential("http://127.0.0.1:9/api", "a:b"), nothing
        ).start_timeout
        < math.inf
    )


async def nothing() -> None:
    """Wait for nothing."""


def test_connections_to_a_service_that_is_left_alone_end_at_once_and_its_port_stays_taken(role, monkeypatch):
    monkeypatch.setattr(service_keeper, "HEALTHY_UPTIME", 600.0)
    listener = service_definitions.open_listener()

    async def is_left_alone() -> None:
        kept = ServiceKeeper(replace(role, listener=listener))
        await kept.start()
        try:
            await killed(kept, MAX_RESTARTS + 1)
            await eventually_async(lambda: kept.build_report().state == "failed")
            reader, writer = await asyncio.open_connection(*listener.getsockname())
            assert await reader.read() == b""
            writer.close()
            with pytest.raises(OSError, match="in use"):
                socket.create_server(listener.getsockname())  # which sets SO_REUSEADDR
        finally:
            await kept.stop(5)

    with listener:
        asyncio.run(asyncio.wait_for(is_left_alone(), 300))


def no_log(role: ServiceDefinition) -> None:
    """Let each start of its process fail with an `OSError`."""
    role.plan.log.unlink()
    role.plan.log.mkdir()


def fails_before(calls: list[int]) -> Callable[[], Awaitable[None]]:
    """A preparation that succeeds once and then fails in a way that was not foreseen."""

    async def before() -> None:
        calls.append(len(calls))
        if len(calls) > 1:
            raise ValueError("not foreseen")

    return before


@pytest.mark.parametrize(
    ("spoil", "last_end"),
    [
        (no_log, r"could not be started \(IsADirectoryError: .*"),
        (lambda _: None, r"could not be started \(ValueError: .*"),
    ],
)
def test_a_start_that_fails_for_any_reason_counts_as_a_death(role, spoil, last_end):
    listener = service_definitions.open_listener()
    calls: list[int] = []

    async def is_left_alone() -> None:
        kept = ServiceKeeper(replace(role, listener=listener, before_start=fails_before(calls)))
        await kept.start()
        try:
            spoil(role)
            assert kept.pid is not None
            os.kill(kept.pid, signal.SIGKILL)
            await eventually_async(lambda: kept.build_report().state == "failed")
            assert re.fullmatch(last_end, kept.build_report().last_end or "")
            assert kept.build_report().restarts == MAX_RESTARTS
            assert kept.pid is None
            reader, writer = await asyncio.open_connection(*listener.getsockname())
            assert await reader.read() == b""
            writer.close()
        finally:
            await kept.stop(5)

    with listener:
        asyncio.run(asyncio.wait_for(is_left_alone(), 300))
