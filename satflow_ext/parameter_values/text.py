"""Conversion of text to parameter values, depending on the values that the parameter accepts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from pydantic import JsonValue

WHOLE_NUMBERS = range(-(2**63), 2**64)
"""Whole numbers that Prefect's database returns unchanged; numbers outside of this range become floats."""


MAX_SHOWN_VALUE = 60
"""Maximum number of characters that are shown of a value."""


class GivenParameters(NamedTuple):
    """Values for parameters by name: `values` are JSON or of the parameters' own types, `texts` are text."""

    values: Mapping[str, Any] = {}
    texts: Mapping[str, str] = {}


class ExactNumber(float):
    """A JSON number that keeps its original text, for types that hold more digits than a float.

    `str()` returns that text, from which pydantic creates a `Decimal`; `is_read` is true after that call.
    """

    text: str
    is_read: bool = False

    @classmethod
    def parse(cls, text: str) -> ExactNumber:
        """Parse the text of a number."""
        number = cls(text)
        number.text = text
        return number

    def __str__(self) -> str:
        self.is_read = True
        return self.text


def value_text(value: JsonValue) -> str:
    """Return a value as it is typed, shortened."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN_VALUE else f"{text[:MAX_SHOWN_VALUE]}…"


def parameters_text(parameters: Mapping[str, JsonValue]) -> str:
    """Return parameters as text, such as `day=2026-01-05, region=a`."""
    return ", ".join(f"{name}={value_text(value)}" for name, value in parameters.items())


def parse_json_or_text(text: str, parse_float: Callable[[str], float] = float) -> JsonValue:
    """Return the JSON that the text contains, or else the text."""
    try:
        value: JsonValue = json.loads(text, parse_constant=str, parse_float=parse_float)
    except (ValueError, RecursionError):
        return text
    return value


def text_to_value(text: str, fits: Callable[[JsonValue], bool]) -> JsonValue:
    """Convert text to the JSON it contains, unless only the text itself fits the parameter.

    `12345` is a number for `int` and for `int | str`, and text for `str`. A number whose digits a `Decimal` needs is returned
    as text. A value that fits neither way is returned as JSON, for validation to refuse.

    Args:
        text: the original text.
        fits: checks a value against the parameter's type.
    """
    value = parse_json_or_text(text, ExactNumber.parse)
    if fits(value):
        exact = _with_plain_numbers(value)
        return exact if not any(_read_numbers(value)) or fits(exact) else parse_json_or_text(text)
    return text if value != text and fits(text) else parse_json_or_text(text)


def _with_plain_numbers(value: JsonValue) -> JsonValue:
    """Replace each exact number by its text if that was read, else by a float."""
    if isinstance(value, dict):
        return {key: _with_plain_numbers(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_with_plain_numbers(each) for each in value]
    if isinstance(value, ExactNumber):
        return value.text if value.is_read else float(value)
    return value


def _read_numbers(value: JsonValue) -> Iterator[bool]:
    if isinstance(value, ExactNumber):
        yield value.is_read
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _read_numbers(each)
