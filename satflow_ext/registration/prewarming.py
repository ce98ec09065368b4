"""Start shared clusters ahead of scheduled runs.

`python -m satflow_ext.registration.prewarming` does this for the local stack, which starts it when a deployment requests
prewarming; it ends when no deployment does. For another Prefect server, `satflow clusters prewarm` does it until it is stopped.
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
"""Seconds between two checks."""
MINUTE = 60.0
HOUR = 3600.0
NICE = 5
"""Niceness: the services and the user's programs have priority."""

logger = logging.getLogger("satflow_ext.registration")


def main() -> int:
    """Prewarm clusters of the local stack until no deployment requests it."""
    os.nice(NICE)
    tell()
    asyncio.run(keep(load_settings().model_copy(update={"store": LOCAL})))
    return 0


def tell() -> None:
    """Log to standard error."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    logger.setLevel(logging.INFO)


async def keep(settings: Settings) -> None:
    """Check the local stack's deployments periodically. A failed check is repeated at the next interval."""
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
    """Check another Prefect server periodically. It does not report registrations, so its deployments are read each minute."""
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
                logger.info("Deployments whose cluster is started ahead of scheduled runs: %d", told)
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
    """Return the time of the last registration with prewarming, or None if there is none."""
    try:
        return wish(settings).stat().st_mtime_ns
    except FileNotFoundError:
        return None


async def _wishes(where: Endpoints, settings: Settings) -> dict[UUID, Wish]:
    """Return the requests of all deployments. If there are none, remove the file, after which this process ends."""
    if found := await scheduled_starts.wishes(where):
        return found
    wish(settings).unlink(missing_ok=True)
    if found := await scheduled_starts.wishes(where):  # of a registration whose file was just removed
        wish(settings).touch(mode=0o600)
    return found


async def _start(each: Due, where: Endpoints, settings: Settings) -> None:
    """Start the cluster of a run once. After a failure the run starts the cluster itself, and its log has the reason."""
    begun = time.monotonic()
    try:
        await clusters.obey(where, settings, str(each.deployment_id), ClusterOrder(order=StartCluster()))
    except SatflowError as error:
        logger.warning("%s: its cluster could not be started ahead of the run: %s", each.deployment_name, error)
    else:
        logger.info("%s: its cluster is ready after %.1f s.", each.deployment_name, time.monotonic() - begun)


if __name__ == "__main__":
    sys.exit(main())
