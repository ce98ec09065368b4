"""What the Prefect API learns of a flow's parameters: names and types, no defaults and no docstrings."""

from __future__ import annotations

import json

from pydantic import JsonValue

from satflow_ext.errors import InvalidParameter, ParametersTooLarge
from satflow_ext.models import JsonObject

LIMIT = 524_288
"""Bytes of JSON that the Prefect API takes (PREFECT_SERVER_API_MAX_PARAMETER_SIZE)."""

PRIVATE = frozenset({"default", "description", "examples"})
NAMED = frozenset({"properties", "$defs", "definitions"})
"""Keywords whose values map names to schemas: a parameter may well be called `default`."""


def schema_for_prefect(schema: JsonObject) -> JsonObject:
    """A parameter schema without what could be private: defaults, descriptions and examples."""
    return {key: _public(key, value) for key, value in schema.items() if key not in PRIVATE}


def check_size(parameters: JsonObject) -> None:
    """Refuse parameters that Prefect would not take.

    Raises:
        ParametersTooLarge: they are longer than `LIMIT`.
    """
    size = len(json.dumps(parameters).encode())
    if size > LIMIT:
        raise ParametersTooLarge(
            f"The parameters are {size:,} bytes of JSON; Prefect takes at most {LIMIT:,}.",
            fix="Put the data into a file or a table and pass its name.",
            field="parameters",
        )


def check_complete(schema: JsonObject, parameters: JsonObject) -> None:
    """Refuse a schedule whose runs would lack a parameter.

    Raises:
        InvalidParameter: a required parameter has no value.
    """
    required = schema.get("required")
    missing = [name for name in (required if isinstance(required, list) else []) if name not in parameters]
    if missing:
        raise InvalidParameter(
            f"Scheduled runs need a value for {', '.join(map(str, missing))}.",
            fix="Give one, or give the parameter a default.",
            field=f"parameters.{missing[0]}",
        )


def _public(key: str, value: JsonValue) -> JsonValue:
    if key in NAMED and isinstance(value, dict):
        return {name: _without_private(schema) for name, schema in value.items()}
    return _without_private(value)


def _without_private(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return schema_for_prefect(value)
    if isinstance(value, list):
        return [_without_private(item) for item in value]
    return value
