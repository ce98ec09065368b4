"""The parameter schema for the Prefect API: names and types only; and checks of choices that name parameters."""

from __future__ import annotations

from pydantic import JsonValue

from satflow_ext.errors import InvalidAutomation, InvalidParameter
from satflow_ext.models import JsonObject, Registration

_KEYWORDS = """
$defs $ref definitions title type enum const format discriminator
allOf anyOf oneOf not if then else dependentSchemas
prefixItems items contains minContains maxContains minItems maxItems uniqueItems unevaluatedItems
properties patternProperties additionalProperties propertyNames unevaluatedProperties minProperties maxProperties required
dependentRequired multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern
contentEncoding contentMediaType contentSchema deprecated readOnly writeOnly
position block_type_slug block_schema_references
"""
PUBLIC_KEYWORDS = frozenset(_KEYWORDS.split())
"""Keywords that Prefect uses to validate values (JSON Schema's vocabularies) and to draw forms; the last three are Prefect's.
Defaults, descriptions, examples and comments are excluded, and so are additions by a flow's author (`json_schema_extra`)."""

NAMED_SCHEMA_KEYWORDS = frozenset({"properties", "patternProperties", "dependentSchemas", "$defs", "definitions"})
"""Keywords whose values map names to schemas: a parameter can have the name `default`."""

UNFILTERED_KEYWORDS = frozenset({"enum", "const", "discriminator", "dependentRequired", "block_schema_references"})
"""Keywords whose values are not schemas."""


def schema_for_prefect(schema: JsonObject) -> JsonObject:
    """Reduce a parameter schema to names, types and constraints on values."""
    return {key: _public_value(key, value) for key, value in schema.items() if key in PUBLIC_KEYWORDS}


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
            fix="Set a value, or give the parameter a default.",
            field=f"parameters.{missing[0]}",
        )


def _public_value(key: str, value: JsonValue) -> JsonValue:
    if key in UNFILTERED_KEYWORDS:
        return value
    if key in NAMED_SCHEMA_KEYWORDS and isinstance(value, dict):
        return {name: _without_private(schema) for name, schema in value.items()}
    return _without_private(value)


def _without_private(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return schema_for_prefect(value)
    if isinstance(value, list):
        return [_without_private(item) for item in value]
    return value


def check_file_parameters(chosen: Registration, parameter_schema: JsonObject) -> None:
    """Check that the flow has the parameters that get the paths of new files.

    Raises:
        InvalidAutomation: it does not have one of them.
    """
    properties = parameter_schema.get("properties")
    known = [*properties] if isinstance(properties, dict) else []
    for position, each in enumerate(chosen.trigger):
        if each.parameter is not None and each.parameter not in known:
            raise InvalidAutomation(
                f"The flow has no parameter {each.parameter}.",
                fix=f"Its parameters are {', '.join(known)}." if known else "It has none: leave the parameter out.",
                field=f"trigger.{position}.parameter",
            )
