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
"""Characters of a validator's message that are shown; it repeats the value, which may be large."""


class _Mistake(Protocol):
    """What is used of jsonschema's ValidationError, which comes without types."""

    validator: str
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
        message = "it needs a value" if error.validator == "required" else error.message[:READABLE]
        raise InvalidParameter(
            f"Parameter {path!r}: {message}.", fix="Correct the value.", field=f"parameters.{path}".rstrip(".")
        )


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
