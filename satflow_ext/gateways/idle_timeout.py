"""Loaded by the scheduler of a cluster of the local stack's Dask Gateway: ends the cluster when nobody uses it any more.

Dask's and the gateway's own idle time-outs look at tasks only, so they would end the cluster of a flow that waits for something
between two of its tasks. Here a connected dask client is a user as well; a client that was killed is connected no more.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Iterable
from typing import Any

MODULE = __name__
SECONDS = "SATFLOW_IDLE_SECONDS"
"""Environment variable of the scheduler with the time after which it ends."""

FIRST_USER = 30.0
"""Seconds more that it is given before anybody has used it: who had it made is about to connect."""

logger = logging.getLogger(__name__)
_watches: set[asyncio.Task[None]] = set()


def dask_setup(scheduler: Any) -> None:
    """Distributed calls this in a scheduler that preloads the module."""
    seconds = float(os.environ[SECONDS])
    _watches.add(asyncio.ensure_future(_watch(scheduler, seconds)))


def users(clients: Iterable[str], *, but: str = "") -> list[str]:
    """The ids of dask clients outside the cluster: not those of its own workers, nor the scheduler's stand-in for nobody."""
    return [name for name in clients if name not in (but, "fire-and-forget") and not name.startswith("Client-worker-")]


async def _watch(scheduler: Any, seconds: float) -> None:
    last = time.monotonic() + FIRST_USER
    while time.monotonic() - last < seconds:
        await asyncio.sleep(min(seconds / 4, 5.0))
        if _busy(scheduler):
            last = time.monotonic()
    logger.warning("Nobody used this cluster for %g seconds.", seconds)
    try:
        await scheduler.services["gateway"].gateway.shutdown()
    except Exception:  # the edge of this task: whatever keeps the gateway from it, the cluster must not stay
        logger.exception("The gateway did not end this cluster.")
        await scheduler.close(reason="idle")


def _busy(scheduler: Any) -> bool:
    waiting = scheduler.queued or scheduler.unrunnable
    return bool(users(scheduler.clients) or waiting or any(each.processing for each in scheduler.workers.values()))
