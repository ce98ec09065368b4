"""What a flow takes and refuses, every way to give a parameter takes and refuses; and the run gets what the flow gets."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import json
import shlex
import uuid
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import pytest
from prefect import Flow, flow
from prefect.exceptions import ParameterTypeError
from prefect.utilities.schema_tools import validation
from pydantic import BaseModel, Field, HttpUrl, Json, SecretStr, field_validator

from satflow_ext.arguments import Parser
from satflow_ext.choices import add_registration_options, parse_registration
from satflow_ext.choices.register_line import parse_line
from satflow_ext.deployments.parameter_schema import schema_for_prefect
from satflow_ext.errors import InvalidParameter
from satflow_ext.kernel.describe import parameter_schema
from satflow_ext.kernel.parameters import convert_values
from satflow_ext.models import JsonObject
from satflow_ext.parameter_values.by_schema import value_fits
from satflow_ext.parameter_values.text import parse_json_or_text, text_to_value
from satflow_ext.runs.parameter_checks import convert_parameters

UUID = uuid.UUID("12345678123456781234567812345678")
BERLIN = dt.timezone(dt.timedelta(hours=2))
NOTHING = object()
"""In place of a value that cannot be given that way."""


class Color(enum.Enum):
    RED = "red"
    TWO = 2


class Item(BaseModel):
    id: int
    name: str = ""
    price: Decimal = Decimal(1)
    when: dt.time | None = None
    tags: set[str] = set()


class Config(BaseModel):
    items: list[Item]
    owner: str | None = Field(None, alias="ownedBy")


class Closed(BaseModel, extra="forbid"):
    n: int = 1


class Even(BaseModel):
    n: int

    @field_validator("n")
    @classmethod
    def even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("n must be even")
        return value


@dataclasses.dataclass
class Point:
    x: int
    at: dt.date


class Case(NamedTuple):
    """A type, and one value of it as text, as Python has it and as JSON."""

    annotation: Any
    text: str
    python: Any
    json: Any


TAKEN = [
    Case(str, "12345", "12345", "12345"),
    Case(str, '"12345"', "12345", "12345"),
    Case(str, "true", "true", "true"),
    Case(str, "null", "null", "null"),
    Case(str, "{}", "{}", "{}"),
    Case(str, "1e5", "1e5", "1e5"),
    Case(str | None, "null", None, None),
    Case(str | None, "12345", "12345", "12345"),
    Case(int, "12345", 12345, 12345),
    Case(int, "007", 7, "007"),
    Case(int, "5.0", 5, 5.0),
    Case(int, "18446744073709551615", 2**64 - 1, 2**64 - 1),
    Case(
        Decimal,
        "123456789012345678901234567890",
        Decimal("123456789012345678901234567890"),
        123456789012345678901234567890,
    ),
    Case(float, "2", 2.0, 2),
    Case(float, "1.10", 1.1, "1.10"),
    Case(float | str, "1.10", 1.1, 1.1),
    Case(bool, "true", True, True),
    Case(bool, "yes", True, "yes"),
    Case(bool, "1", True, 1),
    Case(int | str, "5", 5, 5),
    Case(int | str | None, '"5"', "5", "5"),
    Case(Decimal, "2.5", Decimal("2.5"), 2.5),
    Case(
        Decimal,
        "1.100000000000000000000000001",
        Decimal("1.100000000000000000000000001"),
        "1.100000000000000000000000001",
    ),
    Case(
        list[Decimal], "[0.1000000000000000000000001, 2]", [Decimal("0.1000000000000000000000001"), Decimal(2)], NOTHING
    ),
    Case(uuid.UUID, UUID.hex, UUID, UUID.hex),
    Case(dt.datetime, "2025-08-27T06:00:00", dt.datetime(2025, 8, 27, 6), "2025-08-27T06:00:00"),
    Case(dt.datetime, "2025-08-27 06:00", dt.datetime(2025, 8, 27, 6), "2025-08-27 06:00"),
    Case(
        dt.datetime,
        "2025-08-27T06:00:00+02:00",
        dt.datetime(2025, 8, 27, 6, tzinfo=BERLIN),
        "2025-08-27T06:00:00+02:00",
    ),
    Case(dt.datetime, "0", dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc), 0),
    Case(dt.date, "2025-08-27", dt.date(2025, 8, 27), "2025-08-27"),
    Case(dt.time, "07:30", dt.time(7, 30), "07:30"),
    Case(dt.time, "07:30:00.5+02:00", dt.time(7, 30, 0, 500_000, BERLIN), "07:30:00.5+02:00"),
    Case(dt.timedelta, "PT1H", dt.timedelta(hours=1), "PT1H"),
    Case(dt.timedelta, "3600", dt.timedelta(hours=1), 3600),
    Case(dt.timedelta, "0.5", dt.timedelta(milliseconds=500), 0.5),
    Case(dt.timedelta | None, "3600", dt.timedelta(hours=1), 3600),
    Case(tuple[int, str], '[2, "z"]', (2, "z"), [2, "z"]),
    Case(tuple[dt.date, ...], '["2025-08-27"]', (dt.date(2025, 8, 27),), ["2025-08-27"]),
    Case(set[int], "[3, 3, 4]", {3, 4}, [3, 3, 4]),
    Case(frozenset[str], '["a", "a"]', frozenset("a"), ["a", "a"]),
    Case(bytes, "12", b"12", "12"),
    Case(Color, "red", Color.RED, "red"),
    Case(Color, "2", Color.TWO, 2),
    Case(Literal["fast", 3], "3", 3, 3),
    Case(Literal["3"], "3", "3", "3"),
    Case(Path, "data/x", Path("data/x"), "data/x"),
    Case(dict[int, str], '{"2": "two"}', {2: "two"}, {"2": "two"}),
    Case(dict[str, dt.time], '{"when": "07:30"}', {"when": dt.time(7, 30)}, {"when": "07:30"}),
    Case(dict[uuid.UUID, dt.timedelta], f'{{"{UUID.hex}": 60}}', {UUID: dt.timedelta(minutes=1)}, {UUID.hex: 60}),
    Case(list[str], '["1"]', ["1"], ["1"]),
    Case(dict, '{"a": [1.50, null]}', {"a": [1.5, None]}, {"a": [1.5, None]}),
    Case(Any, "12345", 12345, 12345),
    Case(
        Item, '{"id": 1, "price": 9.90000000000000000001}', Item(id=1, price=Decimal("9.90000000000000000001")), NOTHING
    ),
    Case(
        Item, '{"id": "1", "when": "07:30", "tags": ["a", "a"]}', Item(id=1, when=dt.time(7, 30), tags={"a"}), NOTHING
    ),
    Case(list[Item], '[{"id": 2}]', [Item(id=2)], [{"id": 2}]),
    Case(Config, '{"items": [{"id": 2}], "ownedBy": "me"}', Config(items=[Item(id=2)], ownedBy="me"), NOTHING),
    Case(Config | None, '{"items": []}', Config(items=[]), {"items": []}),
    Case(Point, '{"x": 1, "at": "2025-08-27"}', Point(1, dt.date(2025, 8, 27)), {"x": 1, "at": "2025-08-27"}),
    Case(Annotated[int, Field(gt=3)], "4", 4, 4),
    Case(HttpUrl, "https://a.example/x", HttpUrl("https://a.example/x"), "https://a.example/x"),
    Case(Json, '{"a": 1}', NOTHING, '{"a": 1}'),
    Case(SecretStr, "1234", NOTHING, "1234"),
]

REFUSED = [
    Case(int, "many", "many", "many"),
    Case(int, "1.5", 1.5, 1.5),
    Case(int, "null", None, None),
    Case(str, NOTHING, 12345, 12345),
    Case(bool, "2", 2, 2),
    Case(uuid.UUID, "1234", "1234", "1234"),
    Case(dt.datetime, "tomorrow", "tomorrow", "tomorrow"),
    Case(dt.date, "2025-13-01", "2025-13-01", "2025-13-01"),
    Case(dt.time, "7h", "7h", "7h"),
    Case(dt.time, "25:00", "25:00", "25:00"),
    Case(dt.timedelta, "soon", "soon", "soon"),
    Case(tuple[int, str], "[2]", (2,), [2]),
    Case(set[int], '["x"]', {"x"}, ["x"]),
    Case(Color, "blue", "blue", "blue"),
    Case(Literal["fast", 3], '"3"', "3", "3"),
    Case(dict[int, str], '{"2": 3}', {2: 3}, {"2": 3}),
    Case(dict[str, dt.time], '{"when": "7h"}', {"when": "7h"}, {"when": "7h"}),
    Case(list[Item], '[{"id": 1}, {"name": "x"}]', [{"name": "x"}], [{"name": "x"}]),
    Case(Config, '{"items": [{"id": 1}, {"id": "x"}]}', {"items": [{"id": "x"}]}, {"items": [{"id": "x"}]}),
    Case(Annotated[int, Field(gt=3)], "3", 3, 3),
]


def made_flow(annotation: Any) -> Flow[..., Any]:
    """Make a flow with a parameter of that type."""

    def main(value: Any) -> None: ...

    main.__annotations__["value"] = annotation
    return flow(main)


def by_magic(made: Flow[..., Any], text: str) -> JsonObject:
    chosen = parse_line(f"main --param {shlex.quote(f'value={text}')}").registration
    return convert_values(made, chosen.parameters, chosen.parameter_texts, require_all=True)


def by_register(made: Flow[..., Any], text: str) -> JsonObject:
    parser = Parser()
    add_registration_options(parser)
    chosen = parse_registration(parser.parse_args(["--param", f"value={text}"]), [], parser.options)
    return convert_values(made, chosen.parameters, chosen.parameter_texts, require_all=True)


def by_run(made: Flow[..., Any], text: str) -> JsonObject:
    return by_rest_run(made, text_to_value(text, partial(value_fits, "value", schema=public(made))))


def by_python(made: Flow[..., Any], value: Any) -> JsonObject:
    return convert_values(made, {"value": value}, {}, require_all=True)


def by_rest_run(made: Flow[..., Any], value: Any) -> JsonObject:
    return convert_parameters({"value": value}, public(made))


def public(made: Flow[..., Any]) -> JsonObject:
    return schema_for_prefect(parameter_schema(made))


WAYS: list[tuple[str, Callable[[Flow[..., Any], Any], JsonObject]]] = [
    ("text", by_magic),
    ("text", by_register),
    ("text", by_run),
    ("python", by_python),
    ("json", by_python),
    ("json", by_rest_run),
]


def each_way(cases: list[Case]) -> list[Any]:
    """Return each case with each way that can give its value."""
    return [
        pytest.param(case, given, way, id=f"{case.annotation}-{_label(case)}-{given}-{way.__name__}"[-80:])
        for case in cases
        for given, way in WAYS
        if getattr(case, given) is not NOTHING
    ]


def _label(case: Case) -> object:
    return repr(case.json) if case.text is NOTHING else case.text


def arrives(made: Flow[..., Any], stored: JsonObject) -> Any:
    """Return what a run gets of stored parameters, which Prefect has to take first."""
    validation.validate(stored, public(made), raise_on_error=True)
    return made.validate_parameters(json.loads(json.dumps(stored, allow_nan=False)))["value"]


@pytest.mark.parametrize(("case", "given", "way"), each_way(TAKEN))
def test_a_run_gets_what_the_flow_gets(case: Case, given: str, way: Callable[..., JsonObject]) -> None:
    value = getattr(case, given)
    made = made_flow(case.annotation)
    meant = next(each for each in (case.python, case.json, parse_json_or_text(case.text)) if each is not NOTHING)
    wanted = made.validate_parameters({"value": meant})["value"]
    got = arrives(made, way(made, value))
    assert got == wanted
    assert type(got) is type(wanted)
    if "Decimal" in repr(wanted):
        assert repr(got) == repr(wanted)


@pytest.mark.parametrize(("case", "given", "way"), each_way(REFUSED))
def test_what_the_flow_refuses_is_refused(case: Case, given: str, way: Callable[..., JsonObject]) -> None:
    value = getattr(case, given)
    made = made_flow(case.annotation)
    with pytest.raises(ParameterTypeError):
        made.validate_parameters({"value": parse_json_or_text(value) if given == "text" else value})
    with pytest.raises(InvalidParameter) as refused:
        way(made, value)
    assert refused.value.field.startswith("parameters.value")


MESSAGES = [
    (dt.time, "7h", "value", "a time such as 07:30"),
    (dt.date, "soon", "value", "a date such as 2025-08-27"),
    (dt.datetime, "soon", "value", "a date and time such as 2025-08-27T06:00:00"),
    (dt.timedelta, "soon", "value", "a duration such as PT1H30M"),
    (uuid.UUID, "1234", "value", "a UUID such as 12345678-1234-5678-1234-567812345678"),
    (int, "many", "value", "a whole number"),
    (int | None, "many", "value", "a whole number"),
    (bool, "maybe", "value", "true or false"),
    (list[int], "{}", "value", "a list"),
    (Item, "[]", "value", "an object"),
    (Config, '{"items": [{"id": 1}, {"id": 2}, {"id": 3, "name": 5}]}', "value.items[2].name", "text"),
    (Config | None, '{"items": [{"id": 1}, {"id": "x"}]}', "value.items[1].id", "a whole number"),
    (Config, '{"items": [{"name": "x"}]}', "value.items[0].id", "needs a value"),
    (dict[str, dt.time], '{"start at": "7h"}', "value['start at']", "a time such as 07:30"),
    (Color, "blue", "value", "'red'"),
    (list[Closed], '[{"n": 1}, {"m": 2}]', "value[1].m", "is not a field of it"),
    (Annotated[int, Field(gt=3)], "3", "value", "than 3"),
]


@pytest.mark.parametrize("way", [by_magic, by_run], ids=["the flow's types", "the schema"])
@pytest.mark.parametrize(("annotation", "text", "place", "expected"), MESSAGES)
def test_the_message_names_the_field_and_the_format(
    annotation: Any, text: str, place: str, expected: str, way: Callable[..., JsonObject]
) -> None:
    with pytest.raises(InvalidParameter) as refused:
        way(made_flow(annotation), text)
    assert place in refused.value.message
    assert expected in refused.value.message


@pytest.mark.parametrize("way", [by_magic, by_run])
@pytest.mark.parametrize("text", [str(2**64), str(-(2**63) - 1)])
def test_a_number_that_prefect_would_round_is_refused(text: str, way: Callable[..., JsonObject]) -> None:
    with pytest.raises(InvalidParameter, match=r"cannot be stored|at most 64 bits"):
        way(made_flow(int), text)


def test_a_validator_s_own_words_are_told() -> None:
    with pytest.raises(InvalidParameter, match=r"value\.n is refused: n must be even\."):
        by_magic(made_flow(Even), '{"n": 3}')


class Plain:
    """A class of the user, with no equality and no JSON."""


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (SecretStr, SecretStr("hush")),
        (dict[str, SecretStr], {"key": SecretStr("hush")}),
        (bytes, b"\xff"),
        (float, float("nan")),
        (Any, (1, 2)),
        (Any, {1: "one"}),
        (Any, Color.RED),
        (Any, dt.date(2025, 8, 27)),
        (dt.datetime | str, dt.datetime(2025, 8, 27)),
        (Plain, Plain()),
    ],
)
def test_a_value_that_no_json_leads_to_is_refused(annotation: Any, value: Any) -> None:
    made = made_flow(annotation)
    made.validate_parameters({"value": value})
    with pytest.raises(InvalidParameter, match="cannot be stored") as refused:
        by_python(made, value)
    assert "hush" not in str(refused.value)


@pytest.mark.filterwarnings("ignore:Field name:UserWarning")
def test_names_that_models_have_as_well() -> None:
    @flow
    def main(name: str, copy: bool, schema: str, json: str, value: int) -> None: ...

    texts = {"name": "1", "copy": "true", "schema": "2", "json": "3", "value": "4"}
    wanted = {**texts, "copy": True, "value": 4}
    assert convert_values(main, {}, texts, require_all=True) == wanted
    assert (
        convert_parameters(
            {name: text_to_value(text, partial(value_fits, name, schema=public(main))) for name, text in texts.items()},
            public(main),
        )
        == wanted
    )


def test_a_flow_that_does_not_validate_is_given_what_prefect_takes() -> None:
    @flow(validate_parameters=False)
    def main(code: str, n: int) -> None: ...

    assert convert_values(main, {}, {"code": "12345", "n": "12"}, require_all=True) == {"code": "12345", "n": 12}
    with pytest.raises(InvalidParameter, match="does not fit its type int"):
        convert_values(main, {}, {"n": "many"}, require_all=False)


def test_text_without_a_schema_is_json_or_text() -> None:
    given = {
        text: text_to_value(text, partial(value_fits, "value", schema={}))
        for text in ("12345", "x", "", '{"a": 1.5}', "NaN")
    }
    assert given == {"12345": 12345, "x": "x", "": "", '{"a": 1.5}': {"a": 1.5}, "NaN": "NaN"}
