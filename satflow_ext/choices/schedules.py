"""Convert schedules to and from Prefect's, and compute the next runs with Prefect's own code."""

from __future__ import annotations

import asyncio
import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ValidationError

from satflow_ext.errors import InvalidSchedule
from satflow_ext.models import CronSchedule, IntervalSchedule, NoSchedule, Schedule
from satflow_ext.prefect_rows import DeploymentSchedule, ScheduleRow

MACROS = frozenset({"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"})
LATE_DAY = re.compile(r"29|30|31")
"""A day that not every month has."""
REFUSED_ZONES = frozenset({"localtime", "posixrules"})
"""Files of the time zone database that are specific to a machine; Prefect refuses them."""
MIN_SECONDS = 1e-6
"""The shortest interval in seconds: a `timedelta` rounds shorter ones to zero."""
SLUG = "satflow"
"""The slug of the schedule that SatFlow creates; each deployment has at most one."""


def check_schedule(schedule: Schedule) -> Schedule:
    """Return the schedule, after checking that Prefect can run it.

    Raises:
        InvalidSchedule: a part of the schedule is not valid; `field` names it.
    """
    if isinstance(schedule, CronSchedule):
        _check_zone(schedule.timezone)
        _check_cron(schedule.cron)
    if isinstance(schedule, IntervalSchedule):
        _check_zone(schedule.timezone)
        _check_seconds(schedule.seconds)
    return schedule


def to_prefect(schedule: Schedule) -> list[DeploymentSchedule]:
    """Convert to the schedules of a deployment: an active one, or none if runs only start manually."""
    if isinstance(schedule, CronSchedule):
        row = ScheduleRow(cron=schedule.cron, timezone=schedule.timezone)
    elif isinstance(schedule, IntervalSchedule):
        row = ScheduleRow(interval=schedule.seconds, timezone=schedule.timezone)
    else:
        return []
    return [DeploymentSchedule(schedule=row, active=True, slug=SLUG)]


def from_prefect(found: list[DeploymentSchedule]) -> Schedule:
    """Convert the schedules of a deployment; a kind that SatFlow does not create (rrule) becomes `NoSchedule`."""
    for each in found:
        timezone = each.schedule.timezone or "UTC"
        if each.schedule.cron is not None:
            return CronSchedule(cron=each.schedule.cron, timezone=timezone)
        if each.schedule.interval is not None:
            return IntervalSchedule(seconds=each.schedule.interval, timezone=timezone)
    return NoSchedule()


def format_schedule(schedule: Schedule) -> str:
    """Format a schedule on one line, differently for different schedules; "none" if runs only start manually."""
    if isinstance(schedule, CronSchedule):
        return f"{schedule.cron} ({schedule.timezone})"
    if isinstance(schedule, IntervalSchedule):
        return f"every {schedule.seconds!r} s ({schedule.timezone})"
    return "none"


def format_deployment_schedules(found: list[DeploymentSchedule]) -> str:
    """Format the schedules of a deployment on one line, including several and kinds that SatFlow does not create."""
    return "; ".join(sorted(map(_format_row, found))) or "none"


async def preview_runs(schedule: Schedule, count: int = 5) -> tuple[datetime, ...]:
    """Compute the next `count` runs with the classes that the Prefect server itself uses.

    Raises:
        InvalidSchedule: the schedule is not valid.
    """
    await asyncio.to_thread(check_schedule, schedule)
    if isinstance(schedule, NoSchedule):
        return ()
    server_schedule = await asyncio.to_thread(_server_schedule, schedule)
    return tuple(await server_schedule.get_dates(count))


async def next_runs(schedule: Schedule) -> tuple[datetime, ...]:
    """Compute the next runs of a schedule in Prefect; none for a schedule that SatFlow would refuse."""
    try:
        return await preview_runs(schedule)
    except InvalidSchedule:
        return ()


def _server_schedule(schedule: CronSchedule | IntervalSchedule):  # type: ignore[no-untyped-def]  # a private union of Prefect's
    """Return Prefect's server-side schedule. The first import takes a second, so it is called in a thread."""
    from prefect.server.schemas import schedules as server

    if isinstance(schedule, CronSchedule):
        return server.CronSchedule(cron=schedule.cron, timezone=schedule.timezone)
    return server.IntervalSchedule(interval=timedelta(seconds=schedule.seconds), timezone=schedule.timezone)


def _format_row(row: DeploymentSchedule) -> str:
    text = format_schedule(from_prefect([row]))
    if row.schedule.rrule is not None:
        text = f"{' '.join(row.schedule.rrule.split())} ({row.schedule.timezone})"
    return f"{text} with {json.dumps(row.parameters, sort_keys=True)}" if row.parameters else text


def _check_zone(name: str) -> None:
    if name in REFUSED_ZONES or not _is_zone(name):
        raise InvalidSchedule(
            f"No time zone is called {name!r}.",
            fix="Use an IANA name such as Europe/Berlin.",
            field="schedule.timezone",
        )


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _check_cron(cron: str) -> None:
    from prefect.client.schemas.schedules import CronSchedule as PrefectCron

    fields = cron.split()
    if cron.strip().lower() not in MACROS and len(fields) != 5:
        raise InvalidSchedule(
            f"A cron expression has five fields; {cron!r} has {len(fields)}.",
            fix="minute hour day month weekday, for example 0 6 * * *. Seconds are not supported.",
            field="schedule.cron",
        )
    try:
        PrefectCron(cron=cron)
    except ValidationError:
        raise InvalidSchedule(
            f"{cron!r} is not a valid cron expression.",
            fix="For example, 0 6 * * * is every day at six.",
            field="schedule.cron",
        ) from None
    if _may_never_occur(fields) and not _occurs(cron):
        raise InvalidSchedule(
            f"{cron!r} names a date that never occurs.", fix="Correct the day or the month.", field="schedule.cron"
        )


def _may_never_occur(fields: list[str]) -> bool:
    """Return whether the months of a valid expression may all lack its days, or its numbered weekdays (`#`)."""
    return len(fields) == 5 and ("#" in fields[4] or (fields[3] != "*" and LATE_DAY.search(fields[2]) is not None))


def _occurs(cron: str) -> bool:
    """Return whether Prefect's server finds a date. The first import takes a second."""
    from prefect.server.schemas.schedules import CronSchedule as ServerCron

    with ThreadPoolExecutor(1) as thread:  # the caller may run in an event loop
        try:
            return bool(thread.submit(asyncio.run, ServerCron(cron=cron).get_dates(1)).result())
        except ValueError:
            return False


def _check_seconds(seconds: float) -> None:
    if not MIN_SECONDS <= seconds <= timedelta(days=36500).total_seconds():
        raise InvalidSchedule(
            f"An interval of {seconds:g} seconds is not valid.",
            fix="Give more than 0 seconds and at most 36500 days.",
            field="schedule.seconds",
        )
