"""Schedules as users write them: the text of `--schedule`, or a dictionary in Python."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from satflow_ext.errors import BadRequest, InvalidSchedule
from satflow_ext.models import Schedule
from satflow_ext.parameter_values.text import GivenParameters
from satflow_ext.validation_errors import convert_first_error

TIMINGS = {"cron": "cron", "interval": "seconds", "rrule": "rrule"}
"""The part of a written schedule that defines its times → the field of the schedule. Each schedule has one of them."""
BOUNDS = ("start", "end")
PARTS = (*TIMINGS, "timezone", "name", "anchor", *BOUNDS, "active")
PARAMETER = "param."
"""Prefix of the parts that are parameters of a schedule's runs."""
EXAMPLE = "For example, --schedule \"cron='0 6 * * *' timezone=Europe/Berlin name=early param.size=4\"."

_schedule: TypeAdapter[Schedule] = TypeAdapter(Schedule)


@dataclass(frozen=True)
class WrittenSchedule:
    """A schedule, and the parameters of its runs before they are converted by the flow's types.

    Args:
        schedule: the schedule without parameters.
        given: the parameters.
    """

    schedule: Schedule
    given: GivenParameters


def parse_schedules(
    written: Iterable[object], cron: str | None, interval: float | None, timezone: str | None
) -> tuple[WrittenSchedule, ...]:
    """Return the schedules of a registration: the one of a cron expression or an interval, and the others.

    Args:
        written: the others, each as a text or a dictionary.
        cron: a cron expression.
        interval: an interval in seconds, instead of `cron`.
        timezone: the time zone of schedules that have none of their own.

    Raises:
        InvalidSchedule: both `cron` and `interval` are given, or a schedule cannot be read; the message names it.
    """
    zone = timezone or "UTC"
    found: list[WrittenSchedule] = []
    if cron is not None and interval is not None:
        raise InvalidSchedule(
            "A cron line and an interval are both given.",
            fix="Give one of them, or several --schedule.",
            field="schedules",
        )
    if cron is not None or interval is not None:
        found.append(WrittenSchedule(_validate({"cron": cron, "interval": interval}, zone), GivenParameters()))
    for each in [written] if isinstance(written, str | Mapping) else written:
        found.append(_read_schedule(each, zone, len(found)))
    return tuple(found)


def _read_schedule(written: object, zone: str, position: int) -> WrittenSchedule:
    try:
        return _parse_text(written, zone) if isinstance(written, str) else _read_mapping(written, zone)
    except InvalidSchedule as error:
        raise InvalidSchedule(
            f"Schedule {position + 1}: {error.message}", fix=error.fix or EXAMPLE, field=f"schedules.{position}"
        ) from None


def _read_mapping(written: object, zone: str) -> WrittenSchedule:
    if not isinstance(written, Mapping):
        raise InvalidSchedule(f"{written!r} is not a schedule.", fix="Write it as text or as a dictionary.")
    parts = {str(name): value for name, value in written.items()}
    given = parts.pop("parameters", None) or {}
    if not isinstance(given, Mapping):
        raise InvalidSchedule(f"its parameters are {given!r}.", fix='Write a dictionary, such as {"size": 4}.')
    return WrittenSchedule(
        _build_schedule(parts, zone), GivenParameters({str(key): each for key, each in given.items()})
    )


def _parse_text(text: str, zone: str) -> WrittenSchedule:
    try:
        parts: dict[str, Any] = {**split_parts(text)}
    except ValueError as error:
        raise InvalidSchedule(f"{error}.") from None
    texts = {name.removeprefix(PARAMETER): parts.pop(name) for name in list(parts) if name.startswith(PARAMETER)}
    return WrittenSchedule(_build_schedule(parts, zone), GivenParameters(texts=texts))


def split_parts(text: str) -> dict[str, str]:
    """Split the text of an option into its NAME=VALUE parts, with quotes as in a shell.

    Raises:
        ValueError: a quote is never closed, a part is not NAME=VALUE, or a name is given twice.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ValueError(f"{text!r} cannot be read: {error}") from None
    parts: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise ValueError(f"{word!r} is not NAME=VALUE")
        if name in parts:
            raise ValueError(f"{name} is given twice")
        parts[name] = value
    return parts


def _build_schedule(parts: Mapping[str, Any], zone: str) -> Schedule:
    """Build a schedule from its parts, without its parameters."""
    for name in parts:
        if name not in PARTS:
            raise _unknown_part(name)
    kinds = [name for name in TIMINGS if parts.get(name) is not None]
    if len(kinds) != 1:
        problem = f"{' and '.join(kinds)} are both given" if kinds else "it has no times"
        raise InvalidSchedule(f"{problem}.", fix="Give one of cron=, interval= (seconds) and rrule=.")
    if kinds == ["rrule"] and any(parts.get(name) is not None for name in BOUNDS):
        fix = "Write DTSTART and UNTIL in the rule, such as DTSTART:20260105T060000 RRULE:FREQ=DAILY;UNTIL=20261231T235959."
        raise InvalidSchedule("a recurrence rule has its start and its end in itself.", fix=fix)
    try:
        return _validate(parts, zone)
    except BadRequest as error:
        raise InvalidSchedule(error.message.replace("seconds:", "interval:", 1), fix=error.fix) from None


def _validate(parts: Mapping[str, Any], zone: str) -> Schedule:
    """Build a schedule from parts of which one defines its times.

    Raises:
        BadRequest: a part is not valid; the message names it.
    """
    given = {name: value for name, value in parts.items() if value is not None}
    (kind,) = (name for name in TIMINGS if name in given)
    fields = {"kind": kind, TIMINGS[kind]: given.pop(kind), "timezone": zone, **given}
    try:
        return _schedule.validate_python(fields)
    except ValidationError as error:
        raise convert_first_error(error) from None


def _unknown_part(name: str) -> InvalidSchedule:
    near = difflib.get_close_matches(name, [*PARTS, "parameters"], n=1)
    fix = f"Did you mean {near[0]}?" if near else f"Its parts are {', '.join(PARTS)} and param.NAME."
    return InvalidSchedule(f"it has no part {name!r}.", fix=fix)


def list_texts(written: Sequence[WrittenSchedule]) -> tuple[dict[str, str], ...]:
    """Return the parameters as text of each schedule."""
    return tuple(dict(each.given.texts) for each in written)
