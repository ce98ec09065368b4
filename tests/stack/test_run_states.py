"""A run whose process is gone is Crashed with the true cause, and a restart of the Prefect server alone harms no run."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from uuid import UUID

from prefect.client.schemas.objects import State

from satflow_ext import lease
from satflow_ext.endpoints import StackRecord
from satflow_ext.lease.messages import ServiceReport
from satflow_ext.stack.orphaned_runs import PROCESS_KILLED, WORKER_DIED
from tests.stack.conftest import Place, wait_for
from tests.stack.sleeping import sleepers, start_sleeper, state_of
from tests.stack.test_commands import satflow

PATIENCE = 300.0


def test_the_cause_of_a_crash_is_told_apart(whole: Place, tmp_path: Path) -> None:
    with lease.acquire_lease(whole.settings) as held:
        assert held.record is not None
        with_its_worker = begun(held.record, tmp_path / "with its worker")
        kill(whole, "prefect-worker", tmp_path / "with its worker")
        assert ended(held.record, with_its_worker).message == WORKER_DIED

        after_its_worker = begun(held.record, tmp_path / "after its worker")
        kill(whole, "prefect-worker")
        wait_for(lambda: service(whole, "prefect-worker").restarts == 2, "the next worker", seconds=PATIENCE)
        wait_for(lambda: service(whole, "prefect-worker").state == "ready", "the next worker", seconds=PATIENCE)
        kill(whole, None, tmp_path / "after its worker")
        assert ended(held.record, after_its_worker).message == PROCESS_KILLED

        unharmed = begun(held.record, tmp_path / "unharmed")
        kill(whole, "prefect-server")
        wait_for(lambda: service(whole, "prefect-server").restarts == 1, "the next server", seconds=PATIENCE)
        wait_for(lambda: service(whole, "prefect-server").state == "ready", "the next server", seconds=PATIENCE)
        assert state(held.record, unharmed).is_running()
        status = satflow(whole, "status").stdout
        assert "restarted once after it was killed by SIGKILL" in status
        assert "restarted 2 times after it was killed by SIGKILL" in status


def begun(record: StackRecord, folder: Path) -> UUID:
    """A run whose process runs."""
    folder.mkdir()
    run = asyncio.run(start_sleeper(record, folder))
    wait_for(lambda: sleepers(folder), "the flow run to start", seconds=PATIENCE)
    return run


def kill(place: Place, name: str | None, folder: Path | None = None) -> None:
    """Kill a service, and the processes of a run: the service first, so that it cannot report them."""
    if name is not None:
        pid = service(place, name).pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    if folder is not None:
        for each in sleepers(folder):
            each.kill()


def service(place: Place, name: str) -> ServiceReport:
    """What the stack reports of a service."""
    report = lease.read_report(place.settings)
    assert report is not None
    return next(each for each in report.services if each.name == name)


def state(record: StackRecord, run: UUID) -> State:
    """The state of a run now."""
    return asyncio.run(state_of(record, run))


def ended(record: StackRecord, run: UUID) -> State:
    """The state of a run once it has crashed."""
    wait_for(lambda: state(record, run).is_crashed(), "the crash to be noticed", seconds=PATIENCE)
    return state(record, run)
