"""The points of a run group: lists, texts and ranges become checked combinations, or one message names the wrong point."""

from __future__ import annotations

import pytest

from satflow_ext.errors import InvalidParameter, ParametersTooLarge, SatflowError
from satflow_ext.models import MAX_POINTS, RunGroupRequest
from satflow_ext.run_groups.points import make_points, parse_values

SCHEMA = {
    "type": "object",
    "properties": {
        "day": {"type": "string", "format": "date"},
        "at": {"type": "string", "format": "date-time"},
        "n": {"type": "integer", "minimum": 0},
        "code": {"type": "string"},
    },
}


def values(name: str, text: str) -> list:
    return list(parse_values(name, text, SCHEMA))


def request(**fields) -> RunGroupRequest:
    return RunGroupRequest(deployment="daily", **fields)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("day", "2026-01-30..2026-02-02", ["2026-01-30", "2026-01-31", "2026-02-01", "2026-02-02"]),
        ("day", "2026-01-31..2026-04-30/1mo", ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]),
        ("day", " 2026-01-01 .. 2026-01-15 / 1w ", ["2026-01-01", "2026-01-08", "2026-01-15"]),
        ("day", "9999-12-30..9999-12-31", ["9999-12-30", "9999-12-31"]),
        ("at", "2026-01-01T22..2026-01-02T00:00/1h", [f"2026-01-0{at}:00:00" for at in ("1T22", "1T23", "2T00")]),
        ("at", "2026-01-01T00:00Z..2026-01-01T02:00+01:00/60min", ["2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z"]),
        ("at", "2026-01-01..2026-01-02/12h", [f"2026-01-0{at}:00:00" for at in ("1T00", "1T12", "2T00")]),
        ("n", "8..11", [8, 9, 10, 11]),
        ("n", "-2..2/2", [-2, 0, 2]),
        ("n", "1, 2,3", [1, 2, 3]),
        ("code", "1,a b,", ["1", "a b", ""]),
        ("code", "../up", ["../up"]),
        ("code", "x..y", ["x..y"]),
        ("code", '["a,b", "c"]', ["a,b", "c"]),
    ],
)
def test_texts_become_values(name: str, text: str, expected: list) -> None:
    assert values(name, text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2026-02-30..2026-03-01", "'2026-02-30' in the range"),
        ("2026-02-01..soon", "'soon' in the range"),
        ("2026-02-01..2026-01-01", "ends before it begins"),
        ("5..1", "ends before it begins"),
        ("1..5/0", "The step of"),
        ("2026-01-01..2026-01-31/daily", "The step of"),
        ("2026-01-01T00:00..2026-01-02T00:00", "needs a step"),
        ("2026-01-01T00:00Z..2026-01-02T00:00/1h", "time zone"),
        ("[1,", "not a valid JSON list"),
    ],
)
def test_a_wrong_text_is_refused_with_the_reason(text: str, message: str) -> None:
    with pytest.raises(InvalidParameter, match=message) as refused:
        values("day", text)
    assert refused.value.field == "over.day"


@pytest.mark.parametrize(
    "text", ["1..1000000000000", "1..20000", "0001-01-01..9999-01-01", "2020-01-01..2026-01-01/1min"]
)
def test_a_long_range_is_refused_before_it_is_made(text: str) -> None:
    with pytest.raises(ParametersTooLarge, match="at most 10,000"):
        values("n", text)


def test_combinations_are_converted_and_each_runs_once() -> None:
    points = make_points(request(over={"day": "2026-01-01..2026-01-02", "n": ["1", 2, 1]}), {}, SCHEMA)
    days = ("2026-01-01", "2026-01-02")
    assert points.parameters == tuple({"day": day, "n": n} for day in days for n in (1, 2))
    assert (points.duplicates, points.varied) == (2, ("day", "n"))


def test_a_day_is_the_same_point_from_pandas_and_from_text() -> None:
    points = make_points(
        request(over={"day": ["2026-01-01T00:00:00", "2026-01-01"], "at": ["2026-01-01T00:00:00"]}), {}, SCHEMA
    )
    assert points.parameters == ({"day": "2026-01-01", "at": "2026-01-01T00:00:00"},)


def test_a_list_of_points_and_parameters_for_all() -> None:
    given = request(points=({"n": 1}, {"n": "2", "code": "x"}), parameters={"day": "2026-01-01"})
    points = make_points(given, {"code": "of the deployment"}, SCHEMA)
    assert points.parameters == ({"day": "2026-01-01", "n": 1}, {"day": "2026-01-01", "n": 2, "code": "x"})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"over": {"day": ["2026-01-01", "2026-02-30"]}},
            r"Point 2 \(day=2026-02-30\): Parameter 'day' must be a date",
        ),
        ({"over": {"n": [1, -1]}}, r"Point 2 \(n=-1\): Parameter 'n' must be at least 0"),
        ({"over": {"days": ["x"]}}, r"Point 1 \(days=x\): The flow has no parameter 'days'"),
        ({"points": ({"n": 1}, {"n": "many"})}, r"Point 2 \(n=many\)"),
        ({"over": {"n": [1]}, "parameters": {"n": 2}}, "is varied, and also has one value"),
        ({"points": ({"n": 1},), "parameters": {"n": 2}}, "is varied, and also has one value"),
        ({"over": {"n": [1]}, "points": ({"n": 1},)}, "Both `over` and a list"),
        ({"over": {"n": []}}, "No values are given for parameter 'n'"),
        ({"over": {"code": ""}}, "No values are given for parameter 'code'"),
        ({}, "There are no points"),
        ({"points": ()}, "There are no points"),
        ({"over": {"n": "1..200", "day": "2026-01-01..2026-03-31"}}, "These are 18,000 points"),
        ({"points": tuple({"n": n} for n in range(MAX_POINTS + 1))}, "These are 10,001 points"),
        ({"over": {"code": ["x" * 600_000]}}, "bytes of JSON"),
    ],
)
def test_a_wrong_point_is_named_with_the_reason(fields: dict, message: str) -> None:
    with pytest.raises(SatflowError, match=message) as refused:
        make_points(request(**fields), {}, SCHEMA)
    assert refused.value.status in (400, 413)
