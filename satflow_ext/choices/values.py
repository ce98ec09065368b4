"""Conversion of single choices, for all interfaces."""

from __future__ import annotations

import re
from collections.abc import Iterable

from satflow_ext.choices.table import find_option
from satflow_ext.errors import BadRequest, InvalidSchedule, InvalidSecretName
from satflow_ext.models import VARIABLE_NAME_PATTERN, CronSchedule, IntervalSchedule, NoSchedule, Schedule


def parse_choice(field: str, text: str) -> str:
    """Return a value of a field that has a list of possible values, such as the environment policy.

    Raises:
        BadRequest: the value is not in the list.
    """
    option = find_option((field,))
    assert option is not None
    if text in option.values:
        return text
    fix = f"Choose one of {', '.join(option.values)}."
    raise BadRequest(f"{text!r} is not {option.option.noun}.", fix=fix, field=field)


def parse_schedule(cron: str | None, interval: float | None, timezone: str | None) -> Schedule:
    """Return the schedule that a cron expression or an interval defines.

    Raises:
        InvalidSchedule: both are given.
    """
    zone = timezone or "UTC"
    if cron is not None and interval is not None:
        raise InvalidSchedule("A cron line and an interval are both given.", fix="Give one of them.", field="schedule")
    if cron is not None:
        return CronSchedule(cron=cron, timezone=zone)
    return IntervalSchedule(seconds=interval, timezone=zone) if interval is not None else NoSchedule()


def parse_secret_names(names: Iterable[str]) -> tuple[str, ...]:
    """Remove duplicates from names of credentials.

    Raises:
        InvalidSecretName: a name is not a valid name of an environment variable.
    """
    once = tuple(dict.fromkeys([names] if isinstance(names, str) else names))
    for name in once:
        if not re.fullmatch(VARIABLE_NAME_PATTERN, name):
            raise InvalidSecretName
    return once
