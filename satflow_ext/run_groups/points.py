"""The points of a run group: the combinations of parameter values, from lists, texts and ranges, checked by the flow's schema."""

from __future__ import annotations

import calendar
import hashlib
import itertools
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from functools import partial
from typing import TypeVar

from pydantic import JsonValue

from satflow_ext.errors import InvalidParameter, ParametersTooLarge
from satflow_ext.models import MAX_POINTS, JsonObject, RunGroupRequest
from satflow_ext.parameter_values.by_schema import value_fits
from satflow_ext.parameter_values.text import parameters_text, text_to_value, value_text
from satflow_ext.runs.parameter_checks import check_size, convert_parameters

Moment = TypeVar("Moment", date, datetime)

_MIDNIGHT = re.compile(r"(\d{4}-\d{2}-\d{2})[T ]00:00(:00(\.0+)?)?")
_RANGE = re.compile(r"\s*(?P<first>[^,]+?)\s*\.\.\s*(?P<last>[^,/]+?)\s*(?:/\s*(?P<step>[^,/]+?)\s*)?")
_STEP = re.compile(r"(?P<number>[1-9][0-9]{0,8})(?P<unit>min|h|d|w|mo)")
_STEPS = {
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_STEP_FIX = "Write a step as /2 for numbers, and as /30min, /6h, /1d, /1w or /1mo for dates and times."


@dataclass(frozen=True)
class Points:
    """The different points of a request, by their digests and in its order.

    `duplicates` is the number of further ones that were left out.
    """

    by_digest: dict[str, JsonObject]
    duplicates: int
    varied: tuple[str, ...]

    @property
    def parameters(self) -> tuple[JsonObject, ...]:
        """The parameters of each point."""
        return tuple(self.by_digest.values())


def make_points(request: RunGroupRequest, defaults: JsonObject, schema: JsonObject) -> Points:
    """Combine the values of a request to points, and convert them to the types of the flow's parameters.

    Args:
        request: the request.
        defaults: the parameters of the deployment.
        schema: the deployment's parameter schema.

    Raises:
        InvalidParameter: a point is not valid; the message names the first one, and its number.
        ParametersTooLarge: there are too many points, or one is larger than Prefect accepts.
    """
    combined = list(_list_points(request, schema))
    if not combined:
        raise InvalidParameter("There are no points, so nothing would run.", field="over")
    different: dict[str, JsonObject] = {}
    check_point = _PointCheck(defaults, schema)
    for number, point in enumerate(combined, 1):
        converted = check_point(number, {**point, **request.parameters}, point)
        different.setdefault(digest_point(converted), converted)
    varied = tuple(dict.fromkeys(itertools.chain.from_iterable(combined)))
    return Points(different, len(combined) - len(different), varied)


def digest_point(parameters: JsonObject) -> str:
    """Return a digest of a point, which is the same for equal parameters."""
    text = json.dumps(parameters, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _list_points(request: RunGroupRequest, schema: JsonObject) -> Iterator[JsonObject]:
    if request.points is not None:
        if request.over:
            raise InvalidParameter("Both `over` and a list of points are given.", fix="Give one of them.", field="over")
        check_number(len(request.points))
        _check_overlap(request, itertools.chain.from_iterable(request.points))
        yield from request.points
        return
    _check_overlap(request, request.over)
    values = {name: _read_values(name, given, schema) for name, given in request.over.items()}
    if not values:
        return
    check_number(math.prod(map(len, values.values())))
    for combination in itertools.product(*values.values()):
        yield dict(zip(values, combination, strict=True))


def _check_overlap(request: RunGroupRequest, names: Iterator[str] | Mapping[str, object]) -> None:
    for name in names:
        if name in request.parameters:
            raise InvalidParameter(
                f"Parameter {name!r} is varied, and also has one value for all runs.",
                fix="Remove one of them.",
                field=f"parameters.{name}",
            )


def check_number(number: int) -> None:
    """Refuse more points than a group may have.

    Raises:
        ParametersTooLarge: there are more.
    """
    if number > MAX_POINTS:
        raise ParametersTooLarge(
            f"These are {number:,} points; a run group has at most {MAX_POINTS:,}.",
            fix="Divide them among several groups, or let one run process several of them.",
            field="over",
        )


def _read_values(name: str, given: str | Sequence[JsonValue], schema: JsonObject) -> Sequence[JsonValue]:
    values = parse_values(name, given, schema) if isinstance(given, str) else given
    if not values:
        raise InvalidParameter(f"No values are given for parameter {name!r}.", field=f"over.{name}")
    return values


class _PointCheck:
    """Converts points one after the other to the types of the flow's parameters."""

    def __init__(self, defaults: JsonObject, schema: JsonObject) -> None:
        self._defaults, self._schema = defaults, schema

    def __call__(self, number: int, parameters: JsonObject, varied: JsonObject) -> JsonObject:
        together = {**self._defaults, **_shorten_dates(parameters, self._schema)}
        try:
            check_size(together)
            converted = convert_parameters(together, self._schema)
        except (InvalidParameter, ParametersTooLarge) as error:
            where = parameters_text(varied) or "without parameters"
            raise type(error)(f"Point {number} ({where}): {error.message}", fix=error.fix, field=error.field) from None
        return {name: converted[name] for name in parameters}


def _shorten_dates(values: JsonObject, schema: JsonObject) -> JsonObject:
    """Convert midnights to dates for parameters that are dates, so that a day is the same point from pandas and from text."""
    known = schema.get("properties")
    if not isinstance(known, dict):
        return values
    return {name: _shorten_date(value) if _is_date(known.get(name)) else value for name, value in values.items()}


def _is_date(part: JsonValue) -> bool:
    choices = part.get("anyOf", [part]) if isinstance(part, dict) else []
    formats = {each.get("format") for each in choices if isinstance(each, dict)} if isinstance(choices, list) else ()
    return "date" in formats and "date-time" not in formats


def _shorten_date(value: JsonValue) -> JsonValue:
    found = _MIDNIGHT.fullmatch(value) if isinstance(value, str) else None
    return found[1] if found else value


def parse_values(name: str, text: str, schema: JsonObject) -> Sequence[JsonValue]:
    """Parse the values of a parameter: `a,b`, a JSON list, or a range that includes its end.

    A range of dates has the step of a day unless another one is given: `2026-01-01..2026-01-31`, `2026-01-01..2026-12-01/1mo`.
    Ranges of times need a step (`2026-01-01T00:00..2026-01-02T00:00/6h`), and ranges of numbers count: `1..10`, `0..100/5`.

    Args:
        name: the parameter.
        text: its values as text.
        schema: the deployment's parameter schema, which determines whether `1` is a number or text.

    Raises:
        InvalidParameter: the range or the list is not valid.
        ParametersTooLarge: these are too many values.
    """
    field = f"over.{name}"
    if text.lstrip().startswith("["):
        return _parse_list(text, field)
    if (found := _RANGE.fullmatch(text)) and (values := _parse_range(found, text.strip(), field)) is not None:
        return values
    fits = partial(value_fits, name, schema=schema)
    return [text_to_value(each.strip(), fits) for each in text.split(",")] if text.strip() else []


def _parse_list(text: str, field: str) -> Sequence[JsonValue]:
    try:
        values = json.loads(text, parse_constant=str)
    except (ValueError, RecursionError):
        raise InvalidParameter(f"{value_text(text)!r} is not a valid JSON list.", field=field) from None
    assert isinstance(values, list)  # JSON that begins with a bracket
    return values


def _parse_range(found: re.Match[str], text: str, field: str) -> Sequence[JsonValue] | None:
    """Return the values of a range, None if the text is not a range of numbers, dates or times."""
    first, last, step = found["first"], found["last"], found["step"]
    if _is_integer(first) and _is_integer(last):
        return _number_range(int(first), int(last), step, text, field)
    if _parse_moment(first) is None and not re.match(r"\d{4}-\d", first):
        return None
    moments = [_require_moment(each, text, field) for each in (first, last)]
    return [*map(_moment_text, _moment_range(moments[0], moments[1], step, text, field))]


def _is_integer(text: str) -> bool:
    return re.fullmatch(r"[+-]?[0-9]{1,18}", text) is not None


def _number_range(first: int, last: int, step: str | None, text: str, field: str) -> Sequence[JsonValue]:
    if step is not None and not (_is_integer(step) and int(step) > 0):
        raise InvalidParameter(f"The step of {text!r} is not valid.", fix=_STEP_FIX, field=field)
    numbers = range(first, last + 1, int(step or 1))
    _check_range(bool(numbers), text, field)
    check_number(len(numbers))
    return list(numbers)


def _check_range(has_values: bool, text: str, field: str) -> None:
    if not has_values:
        raise InvalidParameter(f"The range {text!r} ends before it begins.", fix="Exchange its ends.", field=field)


def _parse_moment(text: str) -> date | datetime | None:
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return date.fromisoformat(text)
        if re.match(r"\d{4}-\d{2}-\d{2}[T ]", text):
            # Before Python 3.11, `fromisoformat` accepts neither `Z` nor an hour without minutes.
            text = re.sub(r"([T ]\d{2})$", r"\1:00", re.sub("[Zz]$", "+00:00", text))
            return datetime.fromisoformat(text)
    except ValueError:
        return None
    return None


def _require_moment(text: str, whole: str, field: str) -> date | datetime:
    moment = _parse_moment(text)
    if moment is None:
        raise InvalidParameter(
            f"{text!r} in the range {whole!r} is not a valid date or time.",
            fix="Write 2026-01-31, or 2026-01-31T18:00.",
            field=field,
        )
    return moment


def _moment_range(
    first: date | datetime, last: date | datetime, step: str | None, text: str, field: str
) -> Sequence[date | datetime]:
    has_times = isinstance(first, datetime) or isinstance(last, datetime)
    parsed = _STEP.fullmatch(step) if step else None
    if (step and parsed is None) or (step is None and has_times):
        problem = "The step of {!r} is not valid." if step else "The range {!r} of times needs a step."
        raise InvalidParameter(problem.format(text), fix=_STEP_FIX, field=field)
    number, unit = (int(parsed["number"]), parsed["unit"]) if parsed else (1, "d")
    if has_times or unit in ("min", "h"):
        return _list_moments(*_same_zone(_to_time(first), _to_time(last), text, field), number, unit, text, field)
    return _list_moments(first, last, number, unit, text, field)


def _to_time(moment: date | datetime) -> datetime:
    return moment if isinstance(moment, datetime) else datetime(moment.year, moment.month, moment.day)


def _same_zone(first: datetime, last: datetime, text: str, field: str) -> tuple[datetime, datetime]:
    if (first.tzinfo is None) != (last.tzinfo is None):
        raise InvalidParameter(
            f"One end of the range {text!r} has a time zone, the other has none.",
            fix="Write both with a time zone, such as 2026-01-01T00:00Z.",
            field=field,
        )
    return first, last.astimezone(first.tzinfo) if first.tzinfo else last


def _list_moments(first: Moment, last: Moment, number: int, unit: str, text: str, field: str) -> Sequence[Moment]:
    _check_range(first <= last, text, field)
    moments: list[Moment] = []
    for count in itertools.count():
        try:
            moment = _add_months(first, number * count) if unit == "mo" else first + _STEPS[unit] * number * count
        except (OverflowError, ValueError):  # after the year 9999
            return moments
        if moment > last:
            return moments
        check_number(len(moments) + 1)
        moments.append(moment)
    raise AssertionError


def _add_months(moment: Moment, months: int) -> Moment:
    """Return the same day of a later month, or the last day of that month if it is shorter."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def _moment_text(moment: date | datetime) -> str:
    text = moment.isoformat()
    return text.replace("+00:00", "Z") if isinstance(moment, datetime) and moment.tzinfo is timezone.utc else text
