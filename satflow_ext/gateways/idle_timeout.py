"""Idle timeout of clusters of the local stack's Dask Gateway, preloaded by their schedulers.

The idle timeouts of Dask and of the gateway consider only tasks, so they would end the cluster of a flow that waits between two
of its tasks. Here a connected Dask client also counts as a user. A killed client is disconnected and no longer counts.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Iterable
from typing import Any

MODULE = __name__
IDLE_SECONDS_VARIABLE = "SATFLOW_IDLE_SECONDS"
"""Environment variable of the scheduler with the idle timeout in seconds."""

FIRST_USE_GRACE = 30.0
"""Extra seconds before the first use, because the process that created the cluster is about to connect."""

logger = logging.getLogger(__name__)
_watch_tasks: set[asyncio.Task[None]] = set()


def dask_setup(scheduler: Any) -> None:
    """Start the idle timeout. Distributed calls this in a scheduler that preloads the module."""
    seconds = float(os.environ[IDLE_SECONDS_VARIABLE])
    _watch_tasks.add(asyncio.ensure_future(_end_when_idle(scheduler, seconds)))


def list_users(clients: Iterable[str], *, excluded: str = "") -> list[str]:
    """Return the ids of Dask clients outside the cluster, without its own workers and the scheduler's internal client."""
    return [
        name for name in clients if name not in (excluded, "fire-and-forget") and not name.startswith("Client-worker-")
    ]


async def _end_when_idle(scheduler: Any, seconds: float) -> None:
    last = time.monotonic() + FIRST_USE_GRACE
    while time.monotonic() - last < seconds:
        await asyncio.sleep(min(seconds / 4, 5.0))
        if _is_busy(scheduler):
            last = time.monotonic()
    logger.warning("No client used this cluster for %g seconds.", seconds)
    try:
        await scheduler.services["gateway"].gateway.shutdown()
    except Exception:  # task boundary: the cluster must end even if the gateway call fails
        logger.exception("The gateway did not end this cluster.")
        await scheduler.close(reason="idle")


def _is_busy(scheduler: Any) -> bool:
    waiting = scheduler.queued or scheduler.unrunnable
    return bool(list_users(scheduler.clients) or waiting or any(each.processing for each in scheduler.workers.values()))
