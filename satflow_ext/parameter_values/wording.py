"""Error messages for a parameter's value: the place inside the value, and the expected format with an example.

The value itself is the user's data and is never repeated.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Steps = tuple[str | int, ...]

FORMAT_DESCRIPTIONS = {
    "array": "a list",
    "binary": "text",
    "boolean": "true or false",
    "date": "a date such as 2025-08-27",
    "date-time": "a date and time such as 2025-08-27T06:00:00 or 2025-08-27T06:00:00+02:00",
    "decimal": "a decimal number such as 2.50",
    "duration": "a duration such as PT1H30M, 01:30:00 or a number of seconds",
    "integer": "a whole number",
    "ipv4": "an IPv4 address such as 192.0.2.1",
    "ipv6": "an IPv6 address such as 2001:db8::1",
    "null": "null",
    "number": "a number",
    "object": 'an object such as {"name": "value"}',
    "path": "a path",
    "set": "a list",
    "string": "text",
    "time": "a time such as 07:30 or 07:30:00+02:00",
    "tuple": "a list",
    "uri": "a URL such as https://example.com/path",
    "uuid": "a UUID such as 12345678-1234-5678-1234-567812345678",
}
"""A type or format of JSON Schema, or a Python type → a description of its values."""

ERROR_PREFIXES = {
    "bool": "boolean",
    "bytes": "binary",
    "dataclass": "object",
    "date": "date",
    "datetime": "date-time",
    "decimal": "decimal",
    "dict": "object",
    "float": "number",
    "frozen_set": "set",
    "int": "integer",
    "ip_v4_address": "ipv4",
    "ip_v6_address": "ipv6",
    "list": "array",
    "mapping": "object",
    "model": "object",
    "none_required": "null",
    "path": "path",
    "set": "set",
    "string": "string",
    "time": "time",
    "time_delta": "duration",
    "tuple": "tuple",
    "url": "uri",
    "uuid": "uuid",
}
"""The beginning of a pydantic error's type → a key of `FORMAT_DESCRIPTIONS`."""

ERROR_SUFFIXES = (
    "_parsing",
    "_type",
    "_attributes_type",
    "_from_datetime_parsing",
    "_from_datetime_inexact",
    "_from_date_parsing",
    "_from_float",
    "_object_type",
)
"""The ends of a pydantic error's type for values that do not have the format at all."""

MAX_LENGTH = 300
"""Maximum characters of a requirement in a message: an enumeration may be long."""


def path_text(steps: Iterable[str | int]) -> str:
    """Format a place inside a value in Python syntax: `config.items[2].name`."""
    parts = [f".{step}" if isinstance(step, str) and step.isidentifier() else f"[{step!r}]" for step in steps]
    return "".join(parts).removeprefix(".")


def mistake_steps(value: Any, mistake: ErrorDetails) -> Steps:
    """Return the steps from a parameter's value to a mistake, without the names of union members and validators.

    Args:
        value: the parameter's value.
        mistake: an error of pydantic; its location begins with the parameter.
    """
    steps: list[str | int] = []
    location = mistake["loc"][1:]
    for at, step in enumerate(location):
        try:
            value = _get_item(value, step)
        except LookupError:
            if mistake["type"] != "missing" or at < len(location) - 1:
                continue
        steps.append(step)
    return tuple(steps)


def requirement_text(mistakes: Iterable[ErrorDetails]) -> str:
    """Format the requirements from pydantic's errors for all alternatives: `must be a date such as 2025-08-27 or null`."""
    return join_requirements(map(_error_requirement, mistakes))


def join_requirements(alternatives: Iterable[str]) -> str:
    """Join the requirements of the alternatives."""
    requirements = list(dict.fromkeys(alternatives))
    if all(each.startswith("must be ") for each in requirements):
        return shorten_text("must be " + " or ".join(each.removeprefix("must be ") for each in requirements))
    return shorten_text(" or ".join(requirements))


def shorten_text(text: str) -> str:
    """Cut a text to a readable length."""
    return text if len(text) <= MAX_LENGTH else text[: MAX_LENGTH - 1] + "…"


def _get_item(value: Any, step: str | int) -> Any:
    """Return an item of a list or of an object. Pydantic converts keys that are neither text nor a whole number to text."""
    if isinstance(value, dict):
        return value[step] if step in value else {str(key): each for key, each in value.items()}[str(step)]
    if isinstance(value, list | tuple) and isinstance(step, int):
        return value[step]
    raise LookupError(step)


def _error_requirement(mistake: ErrorDetails) -> str:
    kind, message = mistake["type"], mistake["msg"]
    for start, form in ERROR_PREFIXES.items():
        if kind == start or (kind.startswith(start) and kind.removeprefix(start) in ERROR_SUFFIXES):
            return f"must be {FORMAT_DESCRIPTIONS[form]}"
    if kind == "missing" or kind == "missing_argument":
        return "needs a value"
    if kind == "extra_forbidden":
        return "is not a field of it"
    message = message.removeprefix("Value error, ").removeprefix("Assertion failed, ").rstrip(".")
    if message.startswith("Input should "):
        return "must " + message.removeprefix("Input should ")
    return f"is refused: {message}"
