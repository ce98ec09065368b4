"""What the local stack does beside its services, by processes that end.

It heals when it starts, collects once a day, and starts clusters ahead of scheduled runs where a deployment wants that.
"""

from __future__ import annotations

import asyncio
import os
import time

from satflow_ext.settings import Settings
from satflow_ext.stack import environment, service_definitions
from satflow_ext.stack.process import Plan, ServiceProcess

CALM = 600.0
"""Seconds after the start in which its user has better uses for the machine."""

GRACE = 1.0
"""Seconds that a chore has to end when the stack ends."""

HOUR = 3600.0
DAY = 24 * HOUR


LOOK = 10.0
"""Seconds between two looks for a deployment that wants its cluster ahead."""


async def keep_doing(settings: Settings, *, calm: float = CALM, pause: float = HOUR) -> None:
    """Heal what the database has lost, then look now and then whether a collection is due. Their logs say what they did.

    Args:
        settings: where everything is.
        calm: seconds until the first look.
        pause: seconds between two looks.
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
        if (settings.state_dir / "prewarm").exists():  # `registration.prewarm.wish`, which would load Prefect's client
            await _run("prewarming", "satflow_ext.registration.prewarming", settings)
        await asyncio.sleep(LOOK)


async def _keep_collecting(settings: Settings, calm: float, pause: float) -> None:
    await asyncio.sleep(calm)
    while True:
        if _due(settings):
            await _run("collecting", "satflow_ext.commands.daily_collection", settings)
        await asyncio.sleep(pause)


def _due(settings: Settings) -> bool:
    """Whether the built-in store has anything, and no collection has looked at it for a day."""
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
