"""Whether parameters fit a deployment, asked before Prefect is, whose answer names no field."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Protocol

from prefect.utilities.schema_tools import validation

from satflow_ext.errors import InvalidParameter, ParametersTooLarge
from satflow_ext.models import JsonObject

LIMIT = 524_288
"""Bytes of JSON that the Prefect API takes (PREFECT_SERVER_API_MAX_PARAMETER_SIZE)."""

READABLE = 300
"""Characters of an expectation that are shown: an enumeration may be long."""

NOT_OF_TYPE = "it is not of type {}"
EXPECTED = {
    "type": NOT_OF_TYPE,
    "enum": "it is none of {}",
    "const": "it is not {}",
    "minimum": "it is less than {}",
    "maximum": "it is more than {}",
    "exclusiveMinimum": "it is not more than {}",
    "exclusiveMaximum": "it is not less than {}",
    "multipleOf": "it is no multiple of {}",
    "minLength": "it is shorter than {}",
    "maxLength": "it is longer than {}",
    "minItems": "it has fewer items than {}",
    "maxItems": "it has more items than {}",
    "pattern": "it does not match {}",
    "format": "it is no {}",
}
"""What a value breaks, in words, by the keyword of the schema. The value itself is the user's data and is never repeated, as
jsonschema's own messages would: this message goes into the server's log as well."""


class _Mistake(Protocol):
    """What is used of jsonschema's ValidationError, which comes without types."""

    validator: str
    validator_value: object
    message: str
    absolute_path: Iterable[str | int]


def check_size(given: JsonObject) -> None:
    """Refuse parameters that Prefect would not take.

    Raises:
        ParametersTooLarge: they are longer than `LIMIT`.
        InvalidParameter: they hold a number that JSON does not have.
    """
    try:
        size = len(json.dumps(given, allow_nan=False).encode())
    except ValueError:
        raise InvalidParameter("JSON has no NaN and no infinity.", fix="Use null.", field="parameters") from None
    if size > LIMIT:
        raise ParametersTooLarge(
            f"The parameters are {size:,} bytes of JSON; Prefect takes at most {LIMIT:,}.",
            fix="Put the data into a file or a table and pass its name.",
            field="parameters",
        )


def check(given: JsonObject, schema: JsonObject) -> None:
    """Refuse values that a flow's signature does not take.

    Args:
        given: all parameters of the run, the deployment's own included.
        schema: the deployment's parameter schema.

    Raises:
        InvalidParameter: of several mistakes, the first in the order of the parameters' names.
    """
    _check_names(given, schema)
    mistakes: list[_Mistake] = validation.validate(given, schema)
    for error in sorted(mistakes, key=_path):
        path = _path(error)
        raise InvalidParameter(
            f"Parameter {path!r}: {_expected(error)}.", fix="Correct the value.", field=f"parameters.{path}".rstrip(".")
        )


def _expected(error: _Mistake) -> str:
    if error.validator == "required":
        return "it needs a value"
    words = EXPECTED.get(error.validator)
    if words is not None:
        return words.format(repr(error.validator_value))[:READABLE]
    wanted = sorted(set(_types(error.validator_value)))
    return NOT_OF_TYPE.format(" or ".join(map(repr, wanted))) if wanted else f"it does not fit {error.validator!r}"


def _types(alternatives: object) -> Iterable[str]:
    """The types that one of several schemas (`anyOf`) takes, as far as they say so directly."""
    for one in alternatives if isinstance(alternatives, list) else []:
        if isinstance(one, dict) and isinstance(one.get("type"), str):
            yield one["type"]


def _check_names(given: JsonObject, schema: JsonObject) -> None:
    known = schema.get("properties")
    if not isinstance(known, dict) or schema.get("additionalProperties"):
        return
    for name in sorted(given.keys() - known.keys()):
        raise InvalidParameter(
            f"The flow has no parameter {name!r}.",
            fix=f"It takes {_and(known)}." if known else "It takes none.",
            field=f"parameters.{name}",
        )


def _path(error: _Mistake) -> str:
    parts = [str(part) for part in error.absolute_path]
    if error.validator == "required":
        parts.append(error.message.split("'")[1])
    return ".".join(parts)


def _and(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
