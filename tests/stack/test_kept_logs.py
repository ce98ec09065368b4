"""The log of a run whose whole stack is killed, as by a restart of the machine."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from uuid import uuid4

import psutil

from satflow_ext import endpoints, lease, runs
from satflow_ext.endpoints import Endpoints
from satflow_ext.models import Registration, RunRequest
from satflow_ext.registration import register
from satflow_ext.run_logs.spool import spool_folder
from tests.processes import describe_process
from tests.run_logs.kept import kept
from tests.run_logs.spooled import messages
from tests.runtime.speaking import keeps_speaking
from tests.stack.place import Place


def test_the_next_stack_keeps_every_line(whole: Place, packed, tmp_path) -> None:
    with lease.acquire_lease(whole.settings) as held:
        where = endpoints.resolve_endpoints(whole.settings, held.record)
        run_id = started(whole, where, packed, str(tmp_path / "never"))
        spool = spool_folder(whole.settings)
        while sum(each.startswith("line ") for each in messages(spool, run_id)) < 300:
            time.sleep(0.05)
        kill_everything(whole)
        written = [each for each in messages(spool, run_id) if each.startswith("line ")]
    with lease.acquire_lease(whole.settings) as again:
        where = endpoints.resolve_endpoints(whole.settings, again.record)
        while (spool / run_id).exists():
            time.sleep(0.05)
        found = {each: count for each, count in kept(where.prefect, run_id).items() if each.startswith("line ")}
        detail = asyncio.run(runs.read_run_detail(where.prefect, run_id))
    assert len(written) >= 300
    assert set(written) <= set(found)
    assert found == {f"line {number}": 1 for number in range(len(found))}
    assert detail.run.state_type == "CRASHED"


def started(whole: Place, where: Endpoints, packed, gate: str) -> str:
    choice = Registration(name="keeps-speaking")
    done = asyncio.run(register(packed(keeps_speaking), choice, where, whole.settings))
    request = RunRequest(deployment_id=done.deployment.id, parameters={"gate": gate}, idempotency_key=str(uuid4()))
    return asyncio.run(runs.start_run(where.prefect, request)).id


def kill_everything(whole: Place) -> None:
    """At once, the supervisor first."""
    for process in sorted(whole.processes(), key=lambda each: " -m satflow_ext.stack " not in describe_process(each)):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(whole.processes(), timeout=30)
