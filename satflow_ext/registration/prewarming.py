"""Start shared clusters ahead of scheduled runs.

`python -m satflow_ext.registration.prewarming` does it for the local stack, which runs it as soon as a deployment has asked for
that; it ends when none does any more. For another Prefect server `satflow clusters prewarm` does it until it is stopped.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from datetime import datetime, timezone
from uuid import UUID

from satflow_ext import endpoints
from satflow_ext.endpoints import Endpoints
from satflow_ext.errors import SatflowError
from satflow_ext.models import ClusterOrder, StartCluster
from satflow_ext.registration import clusters, scheduled_starts
from satflow_ext.registration.prewarm_request import wish
from satflow_ext.registration.scheduled_starts import Due, Wish
from satflow_ext.settings import LOCAL, Settings, load_settings

LOOK = 10.0
"""Seconds between two looks."""
MINUTE = 60.0
HOUR = 3600.0
NICE = 5
"""It gives way to the services, and to their user."""

logger = logging.getLogger("satflow_ext.registration")


def main() -> int:
    """Look until no deployment wants its cluster ahead."""
    os.nice(NICE)
    tell()
    asyncio.run(keep(load_settings().model_copy(update={"store": LOCAL})))
    return 0


def tell() -> None:
    """Say on standard error what is done."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    logger.setLevel(logging.INFO)


async def keep(settings: Settings) -> None:
    """Look again and again for the local stack. What cannot be asked now is asked at the next look."""
    wanted: dict[UUID, Wish] = {}
    asked = -HOUR
    seen: int | None = 0
    started: dict[UUID, asyncio.Task[None]] = {}
    while True:
        record = endpoints.read_record(settings)
        if record is None or record.prefect_url is None:
            return
        try:
            where = endpoints.resolve(settings, record)
            marked = _marked(settings)
            if marked != seen or time.monotonic() - asked > HOUR:
                wanted = await _wishes(where, settings)
                if not wanted:
                    return
                asked, seen = time.monotonic(), marked
            await _start_due(where, settings, wanted, started)
        except SatflowError as error:
            logger.warning("%s", error)
        await asyncio.sleep(LOOK)


async def keep_on(where: Endpoints, settings: Settings) -> None:
    """Look again and again for a Prefect server of others, which does not tell when somebody registers: asked each minute."""
    wanted: dict[UUID, Wish] = {}
    asked = -MINUTE
    told: int | None = None
    started: dict[UUID, asyncio.Task[None]] = {}
    while True:
        try:
            if time.monotonic() - asked >= MINUTE:
                wanted, asked = await scheduled_starts.wishes(where), time.monotonic()
            if told != len(wanted):
                told = len(wanted)
                logger.info("Deployments that want their cluster ahead of scheduled runs: %d", told)
            if wanted:
                await _start_due(where, settings, wanted, started)
        except SatflowError as error:
            logger.warning("%s", error)
        await asyncio.sleep(LOOK)


async def _start_due(
    where: Endpoints, settings: Settings, wanted: dict[UUID, Wish], started: dict[UUID, asyncio.Task[None]]
) -> None:
    now_due = await scheduled_starts.due(where.prefect, wanted, datetime.now(timezone.utc))
    for run_id in started.keys() - {each.run_id for each in now_due}:
        if started[run_id].done():
            del started[run_id]
    for each in now_due:
        if each.run_id not in started:
            started[each.run_id] = asyncio.create_task(_start(each, where, settings))


def _marked(settings: Settings) -> int | None:
    """When somebody last registered what wants its cluster ahead."""
    try:
        return wish(settings).stat().st_mtime_ns
    except FileNotFoundError:
        return None


async def _wishes(where: Endpoints, settings: Settings) -> dict[UUID, Wish]:
    """Those of all deployments. Where there are none the mark goes, and with it this process."""
    if found := await scheduled_starts.wishes(where):
        return found
    wish(settings).unlink(missing_ok=True)
    if found := await scheduled_starts.wishes(where):  # of somebody whose mark has gone just now
        wish(settings).touch(mode=0o600)
    return found


async def _start(each: Due, where: Endpoints, settings: Settings) -> None:
    """Once for each run: what goes wrong here the run tries again by itself, and its log says what."""
    begun = time.monotonic()
    try:
        await clusters.obey(where, settings, str(each.deployment_id), ClusterOrder(order=StartCluster()))
    except SatflowError as error:
        logger.warning("%s: no cluster ahead of its run: %s", each.deployment_name, error)
    else:
        logger.info("%s: its cluster is warm, after %.1f s.", each.deployment_name, time.monotonic() - begun)


if __name__ == "__main__":
    sys.exit(main())
