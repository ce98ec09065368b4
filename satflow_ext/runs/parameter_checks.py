"""Checks of a run's parameters against its deployment, made first because Prefect's own error does not name the field."""

from __future__ import annotations

import json
from collections.abc import Iterable

from satflow_ext.errors import InvalidParameter, ParametersTooLarge
from satflow_ext.models import JsonObject
from satflow_ext.parameter_values.by_schema import convert_values, find_mistakes
from satflow_ext.parameter_values.wording import path_text

MAX_JSON_BYTES = 524_288
"""Maximum bytes of JSON that the Prefect API accepts (PREFECT_SERVER_API_MAX_PARAMETER_SIZE)."""


def check_size(values: JsonObject) -> None:
    """Reject parameters that Prefect would not accept.

    Raises:
        ParametersTooLarge: they are longer than `MAX_JSON_BYTES`.
        InvalidParameter: they contain a number that JSON does not support.
    """
    try:
        size = len(json.dumps(values, allow_nan=False).encode())
    except ValueError:
        raise InvalidParameter(
            "The parameters contain NaN or infinity, which JSON does not support.", fix="Use null.", field="parameters"
        ) from None
    if size > MAX_JSON_BYTES:
        raise ParametersTooLarge(
            f"The parameters are {size:,} bytes of JSON; Prefect accepts at most {MAX_JSON_BYTES:,}.",
            fix="Put the data into a file or a table and pass its name.",
            field="parameters",
        )


def convert_parameters(values: JsonObject, schema: JsonObject) -> JsonObject:
    """Convert values to the types of the deployment's parameter schema, and reject invalid ones.

    Args:
        values: all parameters of the run, including those of the deployment.
        schema: the deployment's parameter schema.

    Raises:
        InvalidParameter: a name or value is not valid; the first one in the order of the parameters' names.
    """
    _check_names(values, schema)
    converted = convert_values(values, schema)
    for steps, expected in find_mistakes(converted, schema):
        raise InvalidParameter(
            f"Parameter {path_text(steps)!r} {expected}.",
            fix="Correct the value.",
            field=".".join(["parameters", *map(str, steps)]),
        )
    return converted


def _check_names(values: JsonObject, schema: JsonObject) -> None:
    known = schema.get("properties")
    if not isinstance(known, dict) or schema.get("additionalProperties"):
        return
    for name in sorted(values.keys() - known.keys()):
        raise InvalidParameter(
            f"The flow has no parameter {name!r}.",
            fix=f"Its parameters are: {_join_names(known)}." if known else "It has no parameters.",
            field=f"parameters.{name}",
        )


def _join_names(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
