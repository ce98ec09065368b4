"""The whole local stack: closed to strangers, and gone with everything it started however its owner ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psutil
import pytest

from satflow_ext import lease
from satflow_ext.endpoints import StackRecord, read_record
from satflow_ext.models import ErrorFrame, LogLine
from satflow_ext.server.runs import RunManager
from satflow_ext.server.stack import StackManager
from satflow_ext.session import Session
from tests.eventually import eventually, eventually_async
from tests.local_stack import Stack
from tests.stack.place import Place
from tests.stack.sleeping import sleepers, start_sleeper, state_of

STRANGER = {"Origin": "https://evil.example"}
PREFLIGHT = {**STRANGER, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}


def services(stack: Stack) -> list[psutil.Process]:
    """All processes of the shared stack."""
    return [each for each in psutil.process_iter() if _of(each, stack)]


def test_all_services_are_ready(stack: Stack) -> None:
    status = lease.read_status(stack.settings)
    assert (status.kind, status.state, status.stays) == ("local", "ready", False)
    report = lease.read_report(stack.settings)
    assert report is not None
    ready = {each.name: each.state for each in report.services}
    for name in ("dask-gateway", "dask-gateway-proxy"):
        ready.pop(name, None)  # where a test has asked for it
    assert ready == {"prefect-server": "ready", "prefect-worker": "ready", "store": "ready"}


def test_the_users_prefect_profile_is_not_touched(stack: Stack, house: Path) -> None:
    assert (stack.settings.state_dir / "prefect" / "prefect.db").is_file()
    assert not (house / "home" / ".prefect").exists()


@pytest.mark.parametrize("path", ["/flows/filter", "/deployments/filter", "/block_documents/filter", "/flows/"])
def test_the_prefect_api_takes_nothing_without_the_credential(stack: Stack, path: str) -> None:
    answer = httpx.post(f"{stack.record.prefect_url}{path}", json={"name": "evil"}, headers=STRANGER)
    assert answer.status_code in (401, 403)


def test_the_prefect_api_takes_no_writing_call_without_a_csrf_token(stack: Stack) -> None:
    user, _, password = str(stack.record.prefect_auth).partition(":")
    answer = httpx.post(f"{stack.record.prefect_url}/flows/", json={"name": "evil"}, auth=(user, password))
    assert answer.status_code == 403


def test_the_prefect_api_refuses_other_origins(stack: Stack) -> None:
    answer = httpx.options(f"{stack.record.prefect_url}/flows/", headers=PREFLIGHT)
    assert answer.status_code == 400
    assert "access-control-allow-origin" not in answer.headers


def test_no_service_listens_beyond_loopback(stack: Stack) -> None:
    listeners = [address for process in services(stack) for address in _listeners(process)]
    assert len(listeners) >= 2
    assert {address.ip for address in listeners} == {"127.0.0.1"}


def test_secrets_are_in_no_command_line_and_no_log(stack: Stack) -> None:
    secrets = [str(stack.record.store_token), str(stack.record.prefect_auth).partition(":")[2]]
    words = [word for process in psutil.process_iter() for word in _words(process)]
    logs = [log.read_text(errors="replace") for log in (stack.settings.state_dir / "logs").iterdir()]
    for secret in secrets:
        assert not [word for word in words if secret in word]
        assert not [log for log in logs if secret in log]


def test_everything_ends_with_the_last_lease_and_its_runs_are_not_left_running(whole: Place, tmp_path: Path) -> None:
    with lease.acquire_lease(whole.settings) as held:
        run, asleep = _sleeping(held.record, tmp_path)
    whole.wait_gone()
    assert [each for each in asleep if _lives(each)] == []
    with lease.acquire_lease(whole.settings) as again:
        assert again.record is not None
        state = asyncio.run(state_of(again.record, run))
        assert state.is_crashed(), state


def test_a_run_outlives_its_server_and_worker_and_tells_the_truth_when_all_are_killed(
    whole: Place, tmp_path: Path
) -> None:
    """Seen by a page that shows the run's log all the while."""
    asyncio.run(_killed_twice(whole, tmp_path))
    whole.wait_gone()
    assert read_record(whole.settings) is None


async def _killed_twice(whole: Place, folder: Path) -> None:
    manager = StackManager(lambda: whole.settings)
    session = Session(manager)
    page = RunManager(session, manager)
    record = read_record(whole.settings) if await manager.endpoints() else None
    assert record is not None
    run, asleep = await asyncio.to_thread(_sleeping, record, folder)
    shown = Shown()
    reading = asyncio.create_task(shown.read(page, str(run)))
    await eventually_async(lambda: len(shown.lines) > 3)

    _kill(whole, "prefect-server", "prefect-worker")
    seen = len(shown.lines)
    await eventually_async(
        lambda: len(shown.lines) > seen + 5
    )  # the page may not even notice: they are started again within seconds
    assert (await session.runs.read_detail(str(run))).run.state_type == "RUNNING"

    _kill(whole, "prefect-server", "prefect-worker", supervisor=True)
    await asyncio.to_thread(whole.wait_gone)
    assert [each for each in asleep if _lives(each)] == []
    await eventually_async(lambda: "StackFailed" in shown.troubles)
    await manager.start()  # what the button in the sidebar does
    await reading
    seconds = [int(line.message.split()[1]) for line in shown.lines if line.message.startswith("second ")]
    assert seconds == sorted(set(seconds)), "none twice, and in their order"
    assert shown.resets == 0
    found = (await session.runs.read_detail(str(run))).run
    assert found.state_type == "CRASHED"
    assert "died while this was running" in (found.state_message or "")
    await page.close()
    await manager.close()


class Shown:
    """What a page shows of a run's log."""

    def __init__(self) -> None:
        self.lines: list[LogLine] = []
        self.troubles: list[str] = []
        self.resets = 0

    async def read(self, page: RunManager, run_id: str) -> None:
        """Read to the end of the log."""
        async for frame in page.follow_log(run_id, None):
            if isinstance(frame, ErrorFrame):
                self.troubles.append(frame.error.error)
            else:
                self.lines += frame.lines
                self.resets += frame.reset


def _kill(place: Place, *names: str, supervisor: bool = False) -> None:
    report = lease.read_report(place.settings)
    assert report is not None
    pids = [each.pid for each in report.services if each.name in names and each.pid]
    assert len(pids) == len(names)
    for pid in [report.pid, *pids] if supervisor else pids:
        os.kill(pid, signal.SIGKILL)


def test_the_database_may_be_elsewhere(whole: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = tmp_path / "of-the-team.db"
    monkeypatch.setenv("SATFLOW_DATABASE_URL", f"sqlite+aiosqlite:///{database}")
    with lease.acquire_lease(whole.settings) as held:
        assert held.record is not None
        assert database.stat().st_size > 0
        assert not (whole.settings.state_dir / "prefect" / "prefect.db").exists()
        report = lease.read_report(whole.settings)
        assert report is not None
        worker = next(each.pid for each in report.services if each.name == "prefect-worker")
        assert str(database) not in str(psutil.Process(worker).environ()), "flow runs do not get to know its password"
        assert not [word for process in whole.processes() for word in _words(process) if str(database) in word]


def _sleeping(record: StackRecord | None, folder: Path) -> tuple[UUID, list[psutil.Process]]:
    assert record is not None
    run = asyncio.run(start_sleeper(record, folder))
    eventually(lambda: sleepers(folder), "the flow run to start", seconds=60)
    return run, sleepers(folder)


def _lives(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def _of(process: psutil.Process, stack: Stack) -> bool:
    with contextlib.suppress(psutil.Error, OSError):
        here = process.environ().get("SATFLOW_STATE_DIR") == str(stack.settings.state_dir)
        return here and any(word.startswith("satflow_ext.") for word in process.cmdline())
    return False


def _listeners(process: psutil.Process) -> list[Any]:
    with contextlib.suppress(psutil.NoSuchProcess):  # a background job that has just ended
        return [each.laddr for each in process.net_connections() if each.status == psutil.CONN_LISTEN]
    return []


def _words(process: psutil.Process) -> list[str]:
    with contextlib.suppress(psutil.Error, OSError):
        return process.cmdline()
    return []
