"""Lost runs: flow runs of a running stack whose processes ended while no Prefect worker watched them. They get a final state."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import httpx

from satflow_ext.stack.orphaned_runs import PROCESS_KILLED, end_runs, has_process, parse_pid
from satflow_ext.stack.prefect_calls import Credential, FlowRun, PrefectCalls

CHECK_PAUSE = 20.0
"""Seconds between two checks. A run is ended at the second check; if it has a Prefect worker, that reports its end earlier."""

logger = logging.getLogger(__name__)


async def watch_lost_runs(credential: Credential, mark: str, *, pause: float = CHECK_PAUSE) -> None:
    """End lost runs until cancelled.

    Args:
        credential: credential of the stack's own Prefect server.
        mark: mark of the stack's processes.
        pause: seconds between two checks.
    """
    suspects: frozenset[str] = frozenset()
    while True:
        await asyncio.sleep(pause)
        try:
            suspects = await _check_lost_runs(credential, mark, suspects)
        except httpx.HTTPError as error:  # the Prefect server is restarting
            logger.warning("The check for lost runs failed and will be repeated: %s", error or type(error).__name__)


async def _check_lost_runs(credential: Credential, mark: str, suspects: frozenset[str]) -> frozenset[str]:
    async with PrefectCalls(credential) as calls:
        runs = await calls.read_unfinished_runs()
        lost = await asyncio.to_thread(_select_lost_runs, runs, mark)
        await end_runs(calls, [run for run in lost if run.id in suspects], PROCESS_KILLED)
    return frozenset(run.id for run in lost)


def _select_lost_runs(runs: Sequence[FlowRun], mark: str) -> list[FlowRun]:
    return [run for run in runs if parse_pid(run) is not None and not has_process(run, mark)]
