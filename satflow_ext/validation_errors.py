"""Messages for validation errors of requests and arguments, in the terms of the form or call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from satflow_ext.errors import BadRequest, InvalidSecretName

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

UNION_TAGS = frozenset({"cron", "interval", "rrule", "subscribe", "unsubscribe"})
"""Names that pydantic inserts into a path for the model of a union that it tried."""

MESSAGES = {
    "bool_parsing": "it must be true or false",
    "bool_type": "it must be true or false",
    "date_from_datetime_inexact": "it must be a date without a time, such as 2026-01-31",
    "date_from_datetime_parsing": "it must be a date, such as 2026-01-31",
    "date_parsing": "it must be a date, such as 2026-01-31",
    "date_type": "it must be a date, such as 2026-01-31",
    "dict_type": "it must be a JSON object",
    "finite_number": "it must be a number",
    "float_parsing": "it must be a number",
    "float_type": "it must be a number",
    "greater_than": "it must be more than {gt}",
    "greater_than_equal": "it must be at least {ge}",
    "int_from_float": "it must be a whole number",
    "int_parsing": "it must be a whole number",
    "int_type": "it must be a whole number",
    "less_than_equal": "it must be at most {le}",
    "literal_error": "it must be {expected}",
    "missing": "it is missing",
    "string_pattern_mismatch": "it does not have the required format",
    "string_too_short": "it must not be empty",
    "string_type": "it must be text",
    "too_short": "it must have at least {min_length} item(s)",
    "tuple_type": "it must be a list",
}
"""Type of an error (pydantic's documentation, "Validation errors") → requirement of the option."""


def describe_error(error: ErrorDetails) -> str:
    """Return a message for users. Messages of a model's own validators stay; pydantic's are written for programmers."""
    context = {name: f"{each:g}" if isinstance(each, float) else each for name, each in error.get("ctx", {}).items()}
    return MESSAGES.get(error["type"], "").format_map(context) or error["msg"].removeprefix("Value error, ")


def is_standard_error(error: ErrorDetails) -> bool:
    """Return whether a value has the wrong type or size, as opposed to a rejection by a model's own validator."""
    return error["type"] in MESSAGES


def convert_first_error(error: ValidationError) -> BadRequest:
    """Convert the first validation error to a BadRequest."""
    first = error.errors(include_url=False, include_input=False)[0]
    parts = [str(part) for part in first["loc"]]
    if parts[:1] == ["secrets"] and first["type"] == "string_pattern_mismatch":
        return InvalidSecretName()
    if parts[:1] == ["order"]:  # followed by its kind: pydantic inserts the tag of the model in a union
        del parts[1:2]
    field = ".".join(part for at, part in enumerate(parts) if not (part in UNION_TAGS and at < len(parts) - 1))
    if first["type"] == "json_invalid":
        return BadRequest(f"The request's body is not JSON: {first['ctx']['error']}.")
    description = describe_error(first)
    return BadRequest(f"{field}: {description}." if field else f"{description}.", field=field or None)
