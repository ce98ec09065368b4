"""Background jobs of the local stack: short-lived processes that run next to its services.

They recover registrations when the stack starts, collect unused contents once a day, and start clusters ahead of scheduled
runs for the deployments that request it.
"""

from __future__ import annotations

import asyncio
import os
import time

from satflow_ext.settings import Settings
from satflow_ext.stack import environment, service_definitions
from satflow_ext.stack.process import Plan, ServiceProcess

CALM = 600.0
"""Seconds after the start of the stack during which no collection runs, so that the user has the machine for other work."""

GRACE = 1.0
"""Seconds that a background job has to exit when the stack stops."""

HOUR = 3600.0
DAY = 24 * HOUR


LOOK = 10.0
"""Seconds between two checks for a deployment whose cluster starts ahead of its runs."""


async def keep_doing(settings: Settings, *, calm: float = CALM, pause: float = HOUR) -> None:
    """Recover registrations that the database has lost, then collect when a collection is due. Each job writes its own log.

    Args:
        settings: settings of the stack.
        calm: seconds until the first check for a due collection.
        pause: seconds between two checks.
    """
    if any((settings.state_dir / "journal").glob("*.json")):
        await _run("healing", "satflow_ext.registration.startup_recovery", settings)
    warming = asyncio.create_task(_keep_warming(settings))
    try:
        await _keep_collecting(settings, calm, pause)
    finally:
        warming.cancel()
        await asyncio.gather(warming, return_exceptions=True)


async def _keep_warming(settings: Settings) -> None:
    while True:
        # The path of `registration.prewarm.wish`, whose import would load Prefect's client.
        if (settings.state_dir / "prewarm").exists():
            await _run("prewarming", "satflow_ext.registration.prewarming", settings)
        await asyncio.sleep(LOOK)


async def _keep_collecting(settings: Settings, calm: float, pause: float) -> None:
    await asyncio.sleep(calm)
    while True:
        if _due(settings):
            await _run("collecting", "satflow_ext.commands.daily_collection", settings)
        await asyncio.sleep(pause)


def _due(settings: Settings) -> bool:
    """Return whether the built-in store has contents and its last collection was more than a day ago."""
    store = settings.state_dir / "store"
    try:
        return time.time() - (store / "unreferenced.json").stat().st_mtime > DAY
    except FileNotFoundError:
        return (store / "sha256").exists()


async def _run(name: str, module: str, settings: Settings) -> None:
    plan = Plan(
        name=name,
        module=(module,),
        environment=environment.bare(os.environ, settings),
        log=service_definitions.logs(settings, name),
    )
    process = await ServiceProcess.start(plan)
    try:
        await process.ended()
    except asyncio.CancelledError:
        await process.stop(GRACE)
        raise
