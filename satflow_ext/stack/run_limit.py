"""The limit of simultaneous flow runs, enforced by the Prefect server.

The Prefect worker's own `--limit` counts only the runs that this worker has started: runs continue when it is killed, and the
next worker would start as many again. The work pool's concurrency limit counts all runs that are Pending or Running.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from pathlib import Path

from satflow_ext import atomic_files
from satflow_ext.settings import Settings
from satflow_ext.stack.prefect_calls import Credential, PoolLimit, PrefectCalls

logger = logging.getLogger(__name__)


def choose_limit(current: int | None, last_set: int | None, run_limit: int) -> int | None:
    """Return the limit to set on the work pool, None if it keeps its current limit.

    A lower limit that the user has set in Prefect is kept. A lower limit that SatFlow set for an earlier `run_limit` is replaced.

    Args:
        current: current limit of the work pool.
        last_set: limit that SatFlow set last.
        run_limit: value of the setting.
    """
    if current == run_limit:
        return None
    is_users = current is not None and current < run_limit and current != last_set
    return None if is_users else run_limit


async def apply_run_limit(settings: Settings, credential: Credential) -> None:
    """Set the limit of the local work pool from the settings, and create the pool if it is missing.

    Args:
        settings: settings with the limit, and with the folder in which the last limit is recorded.
        credential: credential of the stack's own Prefect server.

    Raises:
        httpx.HTTPError: the server did not answer.
    """
    async with PrefectCalls(credential) as calls:
        found = await calls.read_pool_limit()
        if found is None:
            await calls.create_pool(settings.run_limit)
        elif (limit := _choose_pool_limit(found, settings)) is not None:
            await calls.set_pool_limit(limit)
        elif found.concurrency_limit != settings.run_limit:
            logger.info(
                "The work pool keeps the limit of %s simultaneous runs that was set in Prefect.",
                found.concurrency_limit,
            )
            return
    if _read_last_set(settings) != settings.run_limit:  # a restart of the Prefect worker must not need disk space
        await asyncio.to_thread(atomic_files.write_atomically, _record_path(settings), str(settings.run_limit).encode())


def _choose_pool_limit(found: PoolLimit, settings: Settings) -> int | None:
    return choose_limit(found.concurrency_limit, _read_last_set(settings), settings.run_limit)


def _read_last_set(settings: Settings) -> int | None:
    with contextlib.suppress(OSError, ValueError):
        return int(_record_path(settings).read_text())
    return None


def _record_path(settings: Settings) -> Path:
    return settings.state_dir / "run-limit"
