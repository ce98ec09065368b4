"""Flow runs watched to their end, and their logs."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from satflow_ext import runs
from satflow_ext.errors import PrefectFailed
from satflow_ext.models import RunDetail
from satflow_ext.runs.log_follower import follow_log

PATIENCE = 600
"""Seconds for a run on a machine that has much else to do."""


def ended(stack, run_id: str, patience: float = PATIENCE) -> RunDetail:
    """A run as it is after its end. A Prefect server that gives no answer for want of processor time is asked again."""
    deadline, last = time.monotonic() + patience, "no answer"
    while time.monotonic() < deadline:
        with suppress(PrefectFailed):
            detail = asyncio.run(runs.read_run_detail(stack.endpoints.prefect, run_id))
            if detail.run.state_type in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED"):
                return detail
            last = f"{detail.run.state_name}: {detail.run.why_waiting}"
        time.sleep(0.3)
    raise TimeoutError(last)


def log_of(stack, run_id: str) -> str:
    """A run's whole log: its last lines come some seconds after its end."""

    async def where():
        return stack.endpoints.prefect

    async def read() -> str:
        return "\n".join(
            [line.message async for batch in follow_log(where, run_id, settings=stack.settings) for line in batch.lines]
        )

    return asyncio.run(read())
