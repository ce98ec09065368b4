"""What the Prefect API learns of a flow's parameters, names and types, no defaults and no docstrings; and what schedules need."""

from __future__ import annotations

from pydantic import JsonValue

from satflow_ext.errors import InvalidParameter
from satflow_ext.models import JsonObject

PRIVATE = frozenset({"default", "description", "examples"})
NAMED = frozenset({"properties", "$defs", "definitions"})
"""Keywords whose values map names to schemas: a parameter may well be called `default`."""


def schema_for_prefect(schema: JsonObject) -> JsonObject:
    """A parameter schema without what could be private: defaults, descriptions and examples."""
    return {key: _public(key, value) for key, value in schema.items() if key not in PRIVATE}


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
