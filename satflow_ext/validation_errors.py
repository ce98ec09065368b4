"""What is wrong with a request or with arguments, in the words of the form or the call that has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from satflow_ext.errors import BadRequest, InvalidSecretName

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

TAGS = frozenset({"none", "cron", "interval", "subscribe", "unsubscribe"})
"""Names that pydantic puts into a path to say which of several models it tried."""

WORDS = {
    "bool_parsing": "it must be true or false",
    "bool_type": "it must be true or false",
    "dict_type": "it must be a JSON object",
    "finite_number": "it must be a number",
    "float_parsing": "it must be a number",
    "float_type": "it must be a number",
    "greater_than_equal": "it must be at least {ge}",
    "int_from_float": "it must be a whole number",
    "int_parsing": "it must be a whole number",
    "int_type": "it must be a whole number",
    "less_than_equal": "it must be at most {le}",
    "literal_error": "it must be {expected}",
    "missing": "it is missing",
    "string_pattern_mismatch": "it must be written otherwise",
    "string_too_short": "it must not be empty",
    "string_type": "it must be text",
    "too_short": "there must be at least {min_length}",
    "tuple_type": "it must be a list",
}
"""Type of an error (pydantic's documentation, "Validation errors") → what the option has to be."""


def in_words(mistake: ErrorDetails) -> str:
    """What is wrong, for people: pydantic's own words are for programmers. Those of a model's own validators stay."""
    context = {name: f"{each:g}" if isinstance(each, float) else each for name, each in mistake.get("ctx", {}).items()}
    return WORDS.get(mistake["type"], "").format_map(context) or mistake["msg"].removeprefix("Value error, ")


def is_known(mistake: ErrorDetails) -> bool:
    """Whether a value is of the wrong kind or size, and not refused by a model's own validator."""
    return mistake["type"] in WORDS


def first_mistake(error: ValidationError) -> BadRequest:
    """The first thing that does not fit."""
    first = error.errors(include_url=False, include_input=False)[0]
    parts = [str(part) for part in first["loc"]]
    if parts[:1] == ["secrets"] and first["type"] == "string_pattern_mismatch":
        return InvalidSecretName()
    if parts[:1] == ["order"]:  # its kind follows, as pydantic tells of a choice between several models
        del parts[1:2]
    field = ".".join(part for at, part in enumerate(parts) if not (part in TAGS and at < len(parts) - 1))
    if first["type"] == "json_invalid":
        return BadRequest(f"The request's body is not JSON: {first['ctx']['error']}.")
    said = in_words(first)
    return BadRequest(f"{field}: {said}." if field else f"{said}.", field=field or None)
