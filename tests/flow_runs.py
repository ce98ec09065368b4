"""Flow runs watched to their end, and their logs."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from uuid import UUID, uuid4

from satflow_ext import runs
from satflow_ext.endpoints import PrefectApi
from satflow_ext.errors import PrefectFailed
from satflow_ext.models import TERMINAL_STATES, RunDetail, RunRequest
from satflow_ext.prefect_api import prefect_client
from satflow_ext.runs.log_follower import follow_log

PATIENCE = 600
"""Seconds for a run on a machine that has much else to do."""


def start_run(stack, deployment_id: str, **parameters: object) -> str:
    """Start a run of a deployment, and return its id."""
    request = RunRequest(deployment_id=deployment_id, parameters=parameters, idempotency_key=str(uuid4()))
    return asyncio.run(runs.start_run(stack.endpoints.prefect, request)).id


def ended(stack, run_id: str, patience: float = PATIENCE) -> RunDetail:
    """A run as it is after its end. A Prefect server that gives no answer for want of processor time is asked again."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        prefect = stack.endpoints.prefect  # another one after a restart of the stack
        with suppress(PrefectFailed):
            asyncio.run(_until_ended(prefect, UUID(run_id), deadline))
            return asyncio.run(runs.read_run_detail(prefect, run_id))
    last = asyncio.run(runs.read_run_detail(stack.endpoints.prefect, run_id)).run
    raise TimeoutError(f"{last.state_name}: {last.why_waiting}")


async def _until_ended(prefect: PrefectApi, run_id: UUID, deadline: float) -> None:
    """One small request a look, and fewer of a slow server: looking must not take the processor time that it waits for."""
    async with prefect_client(prefect) as client:
        while True:
            asked = time.monotonic()
            if (run := await client.read_flow_run(run_id)).state_type in TERMINAL_STATES:
                return
            if asked > deadline:
                raise PrefectFailed(f"run {run.name} has not ended")
            await asyncio.sleep(min(max(0.3, 10 * (time.monotonic() - asked)), 2))


def log_of(stack, run_id: str) -> str:
    """A run's whole log: its last lines come some seconds after its end."""

    async def where():
        return stack.endpoints.prefect

    async def read() -> str:
        return "\n".join(
            [line.message async for batch in follow_log(where, run_id, settings=stack.settings) for line in batch.lines]
        )

    return asyncio.run(read())
