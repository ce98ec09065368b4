"""Services and runs of a stack that are killed, and what the stack says of them then."""

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
from tests.eventually import eventually
from tests.stack.place import Place
from tests.stack.sleeping import sleepers, start_sleeper, state_of

PATIENCE = 300.0


def begun(record: StackRecord, folder: Path) -> UUID:
    """A run whose process runs."""
    folder.mkdir()
    run = asyncio.run(start_sleeper(record, folder))
    eventually(lambda: sleepers(folder), "the flow run to start", seconds=PATIENCE)
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
    eventually(lambda: state(record, run).is_crashed(), "the crash to be noticed", seconds=PATIENCE)
    return state(record, run)
