"""Missed runs: scheduled runs whose time passed while the local stack or the machine was off.

Most deployments start only the last missed run. Without this module, all of them start at once when the stack starts or the
machine resumes. The choice of a deployment is in its journal entry (docs/decisions/0014); deployments that SatFlow did not
create keep Prefect's behavior, which starts all missed runs.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from itertools import groupby
from operator import attrgetter
from pathlib import Path

import httpx

from satflow_ext.models import MissedRuns
from satflow_ext.settings import LOCAL, Settings
from satflow_ext.stack.prefect_calls import Credential, PrefectCalls, ScheduledRun

MISSED_AFTER = timedelta(seconds=60)
"""Delay after which a scheduled run that has not started counts as missed."""

CLOCK_CHECK_PAUSE = 1.0
"""Seconds between two comparisons of the clocks, shorter than the interval at which the Prefect worker polls for runs."""

MIN_CLOCK_JUMP = MISSED_AFTER.total_seconds()
"""Seconds by which the wall clock must gain on the monotonic clock to count as a suspend or a change of the clock."""

SKIP_MESSAGES: Mapping[MissedRuns, str] = {
    "last": "Missed while the local stack or the machine was off; a later missed run of this deployment starts instead.",
    "none": "Missed while the local stack or the machine was off; this deployment starts no missed runs.",
}

logger = logging.getLogger(__name__)


def select_superseded(
    runs: Iterable[ScheduledRun], choices: Mapping[str, MissedRuns]
) -> list[tuple[ScheduledRun, str]]:
    """Select the missed runs that must not start, each with the reason.

    Args:
        runs: scheduled runs that should have started already.
        choices: choice of each deployment by its name `flow/deployment`; runs of other deployments start.
    """
    by_deployment = attrgetter("deployment")
    superseded = []
    for deployment, group in groupby(sorted(runs, key=by_deployment), by_deployment):
        choice = choices.get(deployment, "all")
        missed = sorted(group, key=attrgetter("expected_start_time"))
        if choice != "all":
            left = missed[:-1] if choice == "last" else missed
            superseded += [(run, SKIP_MESSAGES[choice]) for run in left]
    return superseded


async def skip_superseded(settings: Settings, credential: Credential, *, since: datetime | None = None) -> int:
    """Cancel the missed runs that must not start; return how many there were.

    Args:
        settings: settings of the stack, with the folder of the journal.
        credential: credential of the stack's own Prefect server.
        since: time at which the machine went off; runs that were scheduled before it waited for another reason.

    Raises:
        httpx.HTTPError: the server did not answer.
    """
    async with PrefectCalls(credential) as calls:
        missed = await calls.read_missed_runs(datetime.now(timezone.utc) - MISSED_AFTER, since)
        choices = await asyncio.to_thread(read_missed_run_choices, settings) if missed else {}
        superseded = select_superseded(missed, choices)
        skipped = sum([await calls.skip_run(run.id, message) for run, message in superseded])
    if skipped:
        logger.info("%s missed runs were skipped", skipped)
    return skipped


class ClockJumpDetector:
    """Detector of clock jumps, which mean that the machine was suspended or its clock was set.

    A jump stays pending until `clear_jump` is called, so that failed attempts to handle it can be repeated.

    Args:
        clock: wall clock, in seconds since 1970.
        monotonic: monotonic clock in seconds, which a suspend does not advance and the user cannot set.
    """

    def __init__(self, clock: float, monotonic: float) -> None:
        self._clock, self._monotonic = clock, monotonic
        self.pending_since: float | None = None
        """Wall clock time before the first pending jump, None if no jump is pending."""

    def compare_clocks(self, clock: float, monotonic: float) -> None:
        """Compare the clocks with their values at the last comparison."""
        gained = (clock - self._clock) - (monotonic - self._monotonic)
        if gained > MIN_CLOCK_JUMP and self.pending_since is None:
            self.pending_since = self._clock
        self._clock, self._monotonic = clock, monotonic

    def clear_jump(self) -> None:
        """Clear the pending jump."""
        self.pending_since = None


async def watch_missed_runs(settings: Settings, credential: Credential) -> None:
    """Skip superseded runs after each suspend of the machine, until cancelled."""
    jumps, warned = ClockJumpDetector(time.time(), time.monotonic()), False
    while True:
        await asyncio.sleep(CLOCK_CHECK_PAUSE)
        jumps.compare_clocks(time.time(), time.monotonic())
        if jumps.pending_since is None:
            continue
        try:
            await skip_superseded(settings, credential, since=datetime.fromtimestamp(jumps.pending_since, timezone.utc))
        except httpx.HTTPError as error:  # the Prefect server may be restarting: the next comparison retries
            if not warned:
                logger.warning("Missed runs could not be skipped yet, retrying: %s", error or type(error).__name__)
            warned = True
        else:
            warned = False
            jumps.clear_jump()


def read_missed_run_choices(settings: Settings) -> dict[str, MissedRuns]:
    """Read the choices of the local stack's deployments from the journal, without importing the journal's module."""
    choices: dict[str, MissedRuns] = {}
    for path in (settings.state_dir / "journal").glob("*.json"):
        entry = _read_entry(path)
        written = entry.get("written")
        if entry.get("prefect") == LOCAL and isinstance(written, dict):
            choice = written.get("missed_runs", "last")
            choices[str(entry["full_name"])] = choice if choice in ("all", "none") else "last"
    return choices


def _read_entry(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):  # registration reports unreadable entries
        return {}
    return found if isinstance(found, dict) else {}
