"""Background jobs of the local stack: short-lived processes that run next to its services.

They recover registrations when the stack starts, collect unused contents once a day, submit the runs of run groups, start
clusters ahead of scheduled runs for the deployments that request it, report deployments that are overdue, and watch files whose
appearance starts a run.
"""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import suppress

from satflow_ext.settings import Settings
from satflow_ext.stack import service_definitions, service_environment
from satflow_ext.stack.process import ProcessPlan, ServiceProcess

START_DELAY = 600.0
"""Seconds after the start of the stack during which no collection runs, so that the user has the machine for other work, and no
deployment is reported as overdue, so that runs that were missed while the stack was off can complete."""

JOB_GRACE = 1.0
"""Seconds that a background job has to exit when the stack stops."""

HOUR = 3600.0
DAY = 24 * HOUR


PREWARM_CHECK_PAUSE = 10.0
"""Seconds between two checks for a deployment whose cluster starts ahead of its runs."""

SUBMISSION_CHECK_PAUSE = 1.0
"""Seconds between two checks for a run group with points to submit. The process that starts a group submits its first runs."""

FILES_CHECK_PAUSE = 5.0
"""Seconds between two checks for a trigger on files; the process that watches them runs until there is none."""

OVERDUE_CHECK_PAUSE = 300.0
"""Seconds between two checks for deployments that have not completed a run in time, which is many minutes at least."""


async def run_background_jobs(settings: Settings, *, delay: float = START_DELAY, pause: float = HOUR) -> None:
    """Recover registrations that the database has lost, then collect when a collection is due. Each job writes its own log.

    Args:
        settings: settings of the stack.
        delay: seconds until the first check for a due collection and for overdue deployments.
        pause: seconds between two checks for a due collection.
    """
    if any((settings.state_dir / "journal").glob("*.json")):
        await _run_job("healing", "satflow_ext.deployments.startup_recovery", settings)
    periodic = (
        _prewarm_periodically(settings),
        _submit_periodically(settings),
        _report_overdue(settings, delay),
        _watch_files_periodically(settings),
    )
    beside = [asyncio.create_task(each) for each in periodic]
    try:
        await _collect_periodically(settings, delay, pause)
    finally:
        for each in beside:
            each.cancel()
        await asyncio.gather(*beside, return_exceptions=True)


async def _prewarm_periodically(settings: Settings) -> None:
    while True:
        # The path of `registration.prewarm_request.request_file`, whose import takes memory that this process keeps.
        if (settings.state_dir / "prewarm").exists():
            await _run_job("prewarming", "satflow_ext.clusters.prewarming", settings)
        await asyncio.sleep(PREWARM_CHECK_PAUSE)


async def _submit_periodically(settings: Settings) -> None:
    while True:
        # The path of `run_groups.database.GroupDatabase`, whose import takes memory that this process keeps.
        if (settings.state_dir / "run_groups" / "local.pending").exists():
            await _run_job("submitting", "satflow_ext.run_groups", settings)
        await asyncio.sleep(SUBMISSION_CHECK_PAUSE)


async def _report_overdue(settings: Settings, delay: float) -> None:
    await asyncio.sleep(delay)
    while True:
        if await asyncio.to_thread(_is_in_journal, b'"overdue"', settings):
            await _run_job("overdue", "satflow_ext.deployments.overdue", settings)
        await asyncio.sleep(OVERDUE_CHECK_PAUSE)


async def _watch_files_periodically(settings: Settings) -> None:
    read_at = None
    while True:
        await asyncio.sleep(FILES_CHECK_PAUSE)  # first, because a server that has just started may miss events
        if (changed_at := _changed_at(settings)) == read_at:
            continue
        read_at = changed_at
        if await asyncio.to_thread(_is_in_journal, b'"files":"', settings):
            await _run_job("files", "satflow_ext.deployments.file_triggers", settings)
            read_at = None  # it may have failed


def _changed_at(settings: Settings) -> int | None:
    """Return when an entry of the journal was last replaced, None if there is no journal."""
    with suppress(FileNotFoundError):
        return (settings.state_dir / "journal").stat().st_mtime_ns
    return None


def _is_in_journal(text: bytes, settings: Settings) -> bool:
    """Search the text of `deployments.journal.DeploymentWrite`, whose import takes memory that this process keeps."""
    for path in (settings.state_dir / "journal").glob("*.json"):
        with suppress(OSError):  # just removed, or damaged
            if text in path.read_bytes():
                return True
    return False


async def _collect_periodically(settings: Settings, delay: float, pause: float) -> None:
    await asyncio.sleep(delay)
    while True:
        if _is_collection_due(settings):
            await _run_job("collecting", "satflow_ext.commands.daily_collection", settings)
        await asyncio.sleep(pause)


def _is_collection_due(settings: Settings) -> bool:
    """Return whether the built-in store has contents and its last collection was more than a day ago."""
    store = settings.state_dir / "store"
    try:
        return time.time() - (store / "unreferenced.json").stat().st_mtime > DAY
    except FileNotFoundError:
        return (store / "sha256").exists()


async def _run_job(name: str, module: str, settings: Settings) -> None:
    plan = ProcessPlan(
        name=name,
        module=(module,),
        environment=service_environment.base_environment(os.environ, settings),
        log=service_definitions.log_path(settings, name),
    )
    process = await ServiceProcess.start(plan)
    try:
        await process.wait_ended()
    except asyncio.CancelledError:
        await process.stop(JOB_GRACE)
        raise
