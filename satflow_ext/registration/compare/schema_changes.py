"""Differences in a flow's parameters, according to their schema: type and default."""

from __future__ import annotations

import json
from typing import cast

from pydantic import JsonValue

from satflow_ext.models import Change, JsonObject
from satflow_ext.registration.compare.fact_changes import compare_facts as changed


def compare_parameters(before: JsonObject, after: JsonObject) -> tuple[Change, ...]:
    """Return parameters that were added, removed, or have another type or default."""
    return changed(_parameter_facts(before), _parameter_facts(after))


def _parameter_facts(schema: JsonObject) -> dict[str, str]:
    properties = cast("dict[str, JsonObject]", schema.get("properties") or {})
    return {name: _format_parameter(each) for name, each in properties.items()}


def _format_parameter(parameter: JsonObject) -> str:
    """Format a parameter, such as `integer = 4`; a parameter without a default is required."""
    kind = _format_type(parameter)
    return f"{kind} = {json.dumps(parameter['default'])}" if "default" in parameter else kind


def _format_type(schema: JsonValue) -> str:
    if not isinstance(schema, dict):
        return "any"
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    for several in ("anyOf", "allOf", "oneOf"):
        if isinstance(options := schema.get(several), list):
            return " or ".join(map(_format_type, options))
    if "enum" in schema:
        return "one of " + json.dumps(schema["enum"])
    kind = str(schema.get("format") or schema.get("type") or "any")
    return f"{kind} of {_format_type(schema['items'])}" if schema.get("items") else kind
