"""Convert schedules to and from Prefect's, and compute the next runs with Prefect's own code."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ValidationError

from satflow_ext.errors import InvalidSchedule
from satflow_ext.models import CronSchedule, IntervalSchedule, RRuleSchedule, Schedule
from satflow_ext.prefect_rows import DeploymentSchedule, ScheduleRow

MACROS = frozenset({"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"})
LATE_DAY = re.compile(r"29|30|31")
"""A day that not every month has."""
REFUSED_ZONES = frozenset({"localtime", "posixrules"})
"""Files of the time zone database that are specific to a machine; Prefect refuses them."""
MIN_SECONDS = 1e-6
"""The shortest interval in seconds: a `timedelta` rounds shorter ones to zero."""
SLUG = "satflow"
"""The slug of a schedule without a name; further ones are numbered."""
OWN_SLUG = re.compile(rf"{SLUG}(-\d+)?")
FAST_FREQUENCY = re.compile(r"\bFREQ=(SECONDLY|MINUTELY)\b", re.IGNORECASE)
AWARE_TIME = re.compile(r"\dT\d+Z|\bTZID=", re.IGNORECASE)
FIRST_YEAR = 2000
"""The earliest start of a recurrence rule: Prefect computes all of its dates from there."""
LAST_YEARS = datetime(9959, 1, 1)
"""Start of the years in which a recurrence rule must have a date. `dateutil` searches until the year 9999."""


def check_schedules(schedules: Sequence[Schedule]) -> None:
    """Check that Prefect can run all schedules of a deployment.

    Raises:
        InvalidSchedule: a part of a schedule is not valid, or a name occurs twice; `field` and the message name the schedule.
    """
    names = [schedule.name for schedule in schedules]
    for position, schedule in enumerate(schedules):
        try:
            _check_name(schedule.name, names[:position])
            check_schedule(schedule)
        except InvalidSchedule as error:
            subject = f"Schedule {schedule.name or position + 1}: " if len(schedules) > 1 else ""
            field = (error.field or "schedule").replace("schedule", f"schedules.{position}", 1)
            raise InvalidSchedule(f"{subject}{error.message}", fix=error.fix, field=field) from None


def check_schedule(schedule: Schedule) -> Schedule:
    """Return the schedule, after checking that Prefect can run it.

    Raises:
        InvalidSchedule: a part of the schedule is not valid; `field` names it.
    """
    _check_zone(schedule.timezone)
    if isinstance(schedule, CronSchedule):
        _check_cron(schedule.cron)
    elif isinstance(schedule, IntervalSchedule):
        _check_seconds(schedule.seconds)
    else:
        _check_rrule(schedule)
    return schedule


def name_slugs(schedules: Sequence[Schedule]) -> dict[str, Schedule]:
    """Return the schedules by their slugs in Prefect: their names, or numbered ones for those without a name."""
    named = {schedule.name: schedule for schedule in schedules if schedule.name is not None}
    unnamed = [schedule for schedule in schedules if schedule.name is None]
    slugs = [SLUG, *(f"{SLUG}-{number}" for number in range(2, len(unnamed) + 1))]
    return {**dict(zip(slugs, unnamed, strict=False)), **named}


def to_prefect(schedule: Schedule, slug: str) -> DeploymentSchedule:
    """Convert to Prefect's schedule of a deployment."""
    timing: dict[str, Any] = {"timezone": schedule.timezone}
    if isinstance(schedule, CronSchedule):
        timing["cron"] = schedule.cron
    elif isinstance(schedule, IntervalSchedule):
        timing["interval"] = schedule.seconds
        if schedule.anchor is not None:
            timing["anchor_date"] = schedule.anchor.isoformat()
    else:
        timing["rrule"] = schedule.rrule
    return DeploymentSchedule(
        schedule=ScheduleRow(**timing), active=schedule.active, parameters=schedule.parameters, slug=slug
    )


def from_prefect(row: DeploymentSchedule, recorded: Schedule | None = None) -> Schedule:
    """Convert a schedule of a deployment.

    Args:
        row: the schedule in Prefect.
        recorded: the registered schedule with the same slug. Prefect completes some schedules: an interval without an anchor
            gets the time of the request, and a rule without a start a fixed one. These are left out, as in the registered one.
    """
    common: dict[str, Any] = {
        "name": None if row.slug is None or OWN_SLUG.fullmatch(row.slug) else row.slug,
        "parameters": row.parameters,
        "active": row.active,
        "timezone": row.schedule.timezone or "UTC",
    }
    if row.schedule.cron is not None:
        return CronSchedule.model_construct(cron=row.schedule.cron, **common)
    if row.schedule.interval is not None:
        anchor = _read_anchor(row.schedule) if isinstance(recorded, IntervalSchedule) and recorded.anchor else None
        return IntervalSchedule.model_construct(seconds=row.schedule.interval, anchor=anchor, **common)
    text = row.schedule.rrule or ""
    if isinstance(recorded, RRuleSchedule) and text.partition("\n")[2] in (recorded.rrule, f"RRULE:{recorded.rrule}"):
        text = recorded.rrule
    return RRuleSchedule.model_construct(rrule=text, **common)


def _read_anchor(row: ScheduleRow) -> datetime | None:
    text = (row.model_extra or {}).get("anchor_date")
    return datetime.fromisoformat(str(text).replace("Z", "+00:00")) if text else None


def format_schedule(schedule: Schedule) -> str:
    """Format the times and parameters of a schedule on one line. Whether it is active is a state, which is left out."""
    given = json.dumps(schedule.parameters, sort_keys=True)
    return f"{schedule.times} with {given}" if schedule.parameters else schedule.times


def list_schedule_facts(
    schedules: Mapping[str, Schedule], formatter: Callable[[Schedule], str] = format_schedule
) -> dict[str, str]:
    """Return the name for display → text of schedules by their slugs; `schedule` is the one without name and number."""
    return {slug_label(slug): formatter(schedule) for slug, schedule in schedules.items()}


def slug_label(slug: str) -> str:
    """Return the name of a schedule in differences."""
    return "schedule" if slug == SLUG else f"schedules.{slug}"


async def preview_runs(schedule: Schedule, count: int = 5) -> tuple[datetime, ...]:
    """Compute the next `count` runs with the classes that the Prefect server itself uses.

    Raises:
        InvalidSchedule: the schedule is not valid.
    """
    await asyncio.to_thread(check_schedule, schedule)
    server_schedule = await asyncio.to_thread(_server_schedule, schedule)
    return tuple(await server_schedule.get_dates(count))


async def next_runs(schedules: Iterable[Schedule], count: int = 5) -> tuple[datetime, ...]:
    """Compute the next runs of all active schedules in Prefect; none of a schedule that SatFlow would refuse."""
    found: set[datetime] = set()
    for schedule in schedules:
        if schedule.active:
            try:
                found |= set(await preview_runs(schedule, count))
            except InvalidSchedule:
                continue
    return tuple(sorted(found)[:count])


def _server_schedule(schedule: Schedule):  # type: ignore[no-untyped-def]  # a private union of Prefect's
    """Return Prefect's server-side schedule. The first import takes a second, so it is called in a thread."""
    from prefect.server.schemas import schedules as server

    zone = schedule.timezone
    if isinstance(schedule, CronSchedule):
        return server.CronSchedule(cron=schedule.cron, timezone=zone)
    if isinstance(schedule, RRuleSchedule):
        return server.RRuleSchedule(rrule=schedule.rrule, timezone=zone)
    anchor = {"anchor_date": schedule.anchor} if schedule.anchor else {}
    return server.IntervalSchedule(interval=timedelta(seconds=schedule.seconds), timezone=zone, **anchor)


def _check_name(name: str | None, others: Sequence[str | None]) -> None:
    if name is None:
        return
    if name in others:
        raise InvalidSchedule("Another schedule has this name.", fix="Give each another name.", field="schedule.name")
    if OWN_SLUG.fullmatch(name):
        fix = "Choose another name, or leave it out."
        raise InvalidSchedule(
            f"The name {name!r} is used for schedules without a name.", fix=fix, field="schedule.name"
        )


def _check_zone(name: str) -> None:
    if name in REFUSED_ZONES or not _is_zone(name):
        raise InvalidSchedule(
            f"No time zone is called {name!r}.",
            fix="Use an IANA name such as Europe/Berlin.",
            field="schedule.timezone",
        )


def _check_rrule(schedule: RRuleSchedule) -> None:
    """Check a rule. Prefect ignores the time zones of its times, and searches without end for dates that never occur."""
    if FAST_FREQUENCY.search(schedule.rrule):
        raise _rrule_error("A recurrence rule cannot repeat every second or minute.", "Use an interval.")
    if schedule.timezone != "UTC" and AWARE_TIME.search(schedule.rrule):
        reason = "The times of a recurrence rule are in the time zone of the schedule, and cannot have their own."
        raise _rrule_error(reason, "Remove TZID, and the Z at the end of times.")
    try:
        rules = _read_rules(schedule)
    except Exception:  # dateutil raises whatever its conversions raise
        fix = "For example, DTSTART:20260101T060000 RRULE:FREQ=MONTHLY;BYDAY=-1FR is the last Friday of each month at six."
        raise _rrule_error(f"{schedule.rrule!r} is not a valid recurrence rule.", fix) from None
    if any(rule._dtstart.year < FIRST_YEAR for rule in rules):
        raise _rrule_error(f"The recurrence rule starts before {FIRST_YEAR}.", "Correct its DTSTART.")
    if not any(map(_has_date, rules)):
        raise _rrule_error("The recurrence rule names a date that never occurs.", "Correct the day or the month.")


def _rrule_error(message: str, fix: str) -> InvalidSchedule:
    return InvalidSchedule(message, fix=fix, field="schedule.rrule")


def _read_rules(schedule: RRuleSchedule) -> list[Any]:
    """Return the rules of `dateutil`, as Prefect's server reads them. The first import takes a second."""
    found = _server_schedule(schedule).to_rrule()
    return list(getattr(found, "_rrule", [found]))


def _has_date(rule: Any) -> bool:
    """Return whether a rule has a date in any forty years. A search from its own start would take half a minute."""
    return next(iter(rule.replace(dtstart=LAST_YEARS, interval=1, until=None, count=None)), None) is not None


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
