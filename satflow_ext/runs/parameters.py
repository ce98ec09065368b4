"""Checks of a run's parameters against its deployment, before Prefect checks them, whose answer names no field."""

from __future__ import annotations

import json
from collections.abc import Iterable

from satflow_ext.errors import InvalidParameter, ParametersTooLarge
from satflow_ext.models import JsonObject
from satflow_ext.parameter_values.by_schema import convert_values, find_mistakes
from satflow_ext.parameter_values.wording import path_text

LIMIT = 524_288
"""Bytes of JSON that the Prefect API takes (PREFECT_SERVER_API_MAX_PARAMETER_SIZE)."""


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


def convert(given: JsonObject, schema: JsonObject) -> JsonObject:
    """Convert values to what the deployment's parameter schema takes, and refuse those that the flow does not take.

    Args:
        given: all parameters of the run, the deployment's own included.
        schema: the deployment's parameter schema.

    Raises:
        InvalidParameter: of several mistakes, the first in the order of the parameters' names.
    """
    _check_names(given, schema)
    converted = convert_values(given, schema)
    for steps, expected in find_mistakes(converted, schema):
        raise InvalidParameter(
            f"Parameter {path_text(steps)!r} {expected}.",
            fix="Correct the value.",
            field=".".join(["parameters", *map(str, steps)]),
        )
    return converted


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


def _and(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
