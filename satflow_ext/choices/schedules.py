"""Convert schedules to and from Prefect's, and compute the next runs with Prefect's own code."""

from __future__ import annotations

import asyncio
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, time, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ValidationError

from satflow_ext.errors import InvalidSchedule
from satflow_ext.models import BoundedSchedule, CronSchedule, IntervalSchedule, RRuleSchedule, Schedule
from satflow_ext.prefect_rows import DeploymentSchedule, ScheduleRow

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
PREFECT_START = date(2020, 1, 1)
"""The start that Prefect gives a recurrence rule without one."""
LAST_YEARS = datetime(9959, 1, 1)
"""Start of the years in which a recurrence rule must have a date. `dateutil` searches until the year 9999."""

MAX_BOUNDED_RUNS = 50_000
"""The most runs of a schedule with a start or an end. Prefect's server counts a recurrence rule from its start whenever it
schedules runs: half a second for this number."""
COUNTED_DAYS = 5 * 366
"""The days for which the runs of a schedule without an end are counted."""
MINUTE, DAY = 60, 24 * 3600
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
MACRO_FIELDS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
CRON_PART = re.compile(r"(?P<low>\*|\w+)(-(?P<high>\w+))?(/(?P<step>\d+))?")


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
    if isinstance(schedule, BoundedSchedule) and schedule.is_bounded:
        _check_bounds(schedule)
    return schedule


def name_slugs(schedules: Sequence[Schedule]) -> dict[str, Schedule]:
    """Return the schedules by their slugs in Prefect: their names, or numbered ones for those without a name."""
    named = {schedule.name: schedule for schedule in schedules if schedule.name is not None}
    unnamed = [schedule for schedule in schedules if schedule.name is None]
    slugs = [SLUG, *(f"{SLUG}-{number}" for number in range(2, len(unnamed) + 1))]
    return {**dict(zip(slugs, unnamed, strict=False)), **named}


def to_prefect(schedule: Schedule, slug: str) -> DeploymentSchedule:
    """Convert to Prefect's schedule of a deployment.

    Raises:
        InvalidSchedule: it has a start or an end, and a recurrence rule cannot express it.
    """
    timing: dict[str, Any] = {"timezone": schedule.timezone}
    if isinstance(schedule, BoundedSchedule) and schedule.is_bounded:
        rule = to_rule(schedule)
        timing = {"rrule": rule.rrule, "timezone": rule.timezone}
    elif isinstance(schedule, CronSchedule):
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
            The recurrence rule of a schedule with a start or an end becomes that schedule again, unless it was changed.
    """
    common: dict[str, Any] = {
        "name": None if row.slug is None or OWN_SLUG.fullmatch(row.slug) else row.slug,
        "parameters": row.parameters,
        "active": row.active,
        "timezone": row.schedule.timezone or "UTC",
    }
    if isinstance(recorded, BoundedSchedule) and recorded.is_bounded and _is_rule_of(recorded, row.schedule):
        return recorded.model_copy(update={"parameters": row.parameters, "active": row.active})
    if row.schedule.cron is not None:
        return CronSchedule.model_construct(cron=row.schedule.cron, **common)
    if row.schedule.interval is not None:
        anchor = _read_anchor(row.schedule) if isinstance(recorded, IntervalSchedule) and recorded.anchor else None
        return IntervalSchedule.model_construct(seconds=row.schedule.interval, anchor=anchor, **common)
    text = row.schedule.rrule or ""
    if isinstance(recorded, RRuleSchedule) and text.partition("\n")[2] in (recorded.rrule, f"RRULE:{recorded.rrule}"):
        text = recorded.rrule
    return RRuleSchedule.model_construct(rrule=text, **common)


def _is_rule_of(recorded: CronSchedule | IntervalSchedule, row: ScheduleRow) -> bool:
    rule = to_rule(recorded)
    return (row.rrule, row.timezone or "UTC") == (rule.rrule, rule.timezone)


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

    if isinstance(schedule, BoundedSchedule) and schedule.is_bounded:
        schedule = to_rule(schedule)
    zone = schedule.timezone
    if isinstance(schedule, CronSchedule):
        return server.CronSchedule(cron=schedule.cron, timezone=zone)
    if isinstance(schedule, RRuleSchedule):
        return server.RRuleSchedule(rrule=schedule.rrule, timezone=zone)
    anchor = {"anchor_date": schedule.anchor} if schedule.anchor else {}
    return server.IntervalSchedule(interval=timedelta(seconds=schedule.seconds), timezone=zone, **anchor)


def to_rule(schedule: CronSchedule | IntervalSchedule) -> RRuleSchedule:
    """Return the recurrence rule of a schedule with a start or an end, which Prefect's other schedules do not have.

    A cron expression is evaluated by the wall clock, and so are intervals of whole days. Shorter intervals are in UTC, in which
    they stay equally long when the time changes.

    Raises:
        InvalidSchedule: no recurrence rule has the times of the schedule.
    """
    return _cron_rule(schedule) if isinstance(schedule, CronSchedule) else _interval_rule(schedule)


def _cron_rule(schedule: CronSchedule) -> RRuleSchedule:
    minutes, hours, days, months, weekdays = expand_cron(schedule.cron)
    parts: dict[str, Iterable[object] | None] = {
        "BYMONTH": months,
        "BYMONTHDAY": days,
        "BYDAY": weekdays and [WEEKDAYS[day][:2].upper() for day in weekdays],
        "BYHOUR": hours or range(24),
        "BYMINUTE": minutes or range(60),
        "BYSECOND": [0],
    }
    texts = [f"{name}={','.join(map(str, values))}" for name, values in parts.items() if values]
    start = datetime.combine(schedule.start or PREFECT_START, time())
    return _build_rule(start, ["FREQ=DAILY", *texts], _last_second(schedule), schedule.timezone)


def _interval_rule(schedule: IntervalSchedule) -> RRuleSchedule:
    seconds, zone = schedule.seconds, ZoneInfo(schedule.timezone)
    if schedule.start is None and schedule.anchor is None:
        raise _bounds_error("An interval with an end needs a start.", "Give its start as well.", "start")
    if seconds % MINUTE or (seconds > DAY and seconds % DAY):
        reason = f"An interval of {seconds:g} seconds cannot have a start or an end in Prefect."
        raise _bounds_error(reason, "Use whole minutes up to a day, or whole days.", "seconds")
    start = datetime.combine(schedule.start or PREFECT_START, time(), zone)
    anchor, last = schedule.anchor or start, _last_second(schedule)
    if seconds % DAY == 0:
        wall, first = anchor.astimezone(zone).replace(tzinfo=None), start.replace(tzinfo=None)
        rule = ["FREQ=DAILY", f"INTERVAL={seconds / DAY:.0f}"]
        return _build_rule(_first_from(first, wall, seconds), rule, last, schedule.timezone)
    first, wall = (each.astimezone(timezone.utc).replace(tzinfo=None) for each in (start, anchor))
    last = last and last.replace(tzinfo=zone).astimezone(timezone.utc).replace(tzinfo=None)
    rule = ["FREQ=MINUTELY", f"INTERVAL={seconds / MINUTE:.0f}"]
    return _build_rule(_first_from(first, wall, seconds), rule, last, "UTC")


def _first_from(start: datetime, anchor: datetime, seconds: float) -> datetime:
    """Return the first time from `start` that is a whole number of intervals from the anchor."""
    interval = timedelta(seconds=seconds)
    return start + (anchor - start) % interval


def _last_second(schedule: BoundedSchedule) -> datetime | None:
    return datetime.combine(schedule.end, time(23, 59, 59)) if schedule.end else None


def _build_rule(start: datetime, parts: list[str], last: datetime | None, zone: str) -> RRuleSchedule:
    until = [f"UNTIL={last:%Y%m%dT%H%M%S}"] if last else []
    return RRuleSchedule(rrule=f"DTSTART:{start:%Y%m%dT%H%M%S}\nRRULE:{';'.join([*parts, *until])}", timezone=zone)


def expand_cron(cron: str) -> list[list[int] | None]:
    """Return the values of the five fields of a valid cron expression; None is every value. Sunday is 0.

    Raises:
        InvalidSchedule: a recurrence rule cannot express it.
    """
    fields = MACRO_FIELDS.get(cron.strip().lower(), cron).lower().split()
    limits = ((0, 59, ()), (0, 23, ()), (1, 31, ()), (1, 12, MONTHS), (0, 7, WEEKDAYS))
    try:
        minutes, hours, days, months, weekdays = (
            _expand_field(field, *limit) for field, limit in zip(fields, limits, strict=True)
        )
    except ValueError:
        fix = "Write it without L, #, ? and ranges over the end of the week, or use a recurrence rule."
        raise _bounds_error(f"The cron expression {cron!r} cannot have a start or an end.", fix, "cron") from None
    if days and weekdays:
        reason = "A cron expression with days of the month and of the week cannot have a start or an end."
        raise _bounds_error(
            reason, "Add one schedule for the days of the month, and one for those of the week.", "cron"
        )
    return [minutes, hours, days, months, weekdays and sorted({day % 7 for day in weekdays})]


def _expand_field(field: str, first: int, last: int, names: Sequence[str]) -> list[int] | None:
    if field == "*":
        return None
    values: set[int] = set()
    for part in field.split(","):
        match = CRON_PART.fullmatch(part)
        if match is None:
            raise ValueError(part)
        low, high, step = match["low"], match["high"], int(match["step"] or 1)
        begin = first if low == "*" else _read_value(low, first, names)
        end = _read_value(high, first, names) if high else last if low == "*" or match["step"] else begin
        if begin > end or step < 1:
            raise ValueError(part)
        values |= set(range(begin, end + 1, step))
    return sorted(values)


def _read_value(text: str, first: int, names: Sequence[str]) -> int:
    return names.index(text) + first if text in names else int(text)


def _check_bounds(schedule: CronSchedule | IntervalSchedule) -> None:
    start, end = schedule.start, schedule.end
    if start and end and end < start:
        raise _bounds_error(f"The schedule ends on {end}, before its start on {start}.", "Correct the dates.", "end")
    to_rule(schedule)
    days = ((end - (start or PREFECT_START)).days + 1) if end else COUNTED_DAYS
    if days * _runs_per_day(schedule) > MAX_BOUNDED_RUNS:
        reason = f"A schedule with a start or an end can have {MAX_BOUNDED_RUNS:,} runs, which this one exceeds."
        fix = "Give a start and an earlier end, or run it less often." if start else "Give a start."
        raise _bounds_error(reason, fix, "end" if start else "start")


def _runs_per_day(schedule: CronSchedule | IntervalSchedule) -> float:
    if isinstance(schedule, IntervalSchedule):
        return DAY / schedule.seconds
    per_field = zip(expand_cron(schedule.cron), (60, 24, 31, 12, 7), strict=True)
    shares = [len(values) / size if values else 1 for values, size in per_field]
    return 60 * 24 * math.prod(shares)


def _bounds_error(message: str, fix: str, part: str) -> InvalidSchedule:
    return InvalidSchedule(message, fix=fix, field=f"schedule.{part}")


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
    if cron.strip().lower() not in MACRO_FIELDS and len(fields) != 5:
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
