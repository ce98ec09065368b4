"""The fields that a work pool offers to the register form."""

from __future__ import annotations

from satflow_ext.job_variables.fit import IMAGE
from satflow_ext.job_variables.flat import ENV
from satflow_ext.job_variables.plain import COMMAND
from satflow_ext.job_variables.template import Template
from satflow_ext.job_variables.worker_types import RESOURCES, resource_variables
from satflow_ext.models import InfrastructureField, JsonObject


def supported_fields(template: Template) -> tuple[InfrastructureField, ...]:
    """Return the fields of `Infrastructure` for which the work pool has a variable."""
    plain: tuple[InfrastructureField, ...] = tuple(name for name in ("image", "env") if name in template.variables)
    return (*plain, *(name for name in RESOURCES if resource_variables(name, template)))


def other_variables_schema(template: Template, *, local: bool) -> JsonObject:
    """Return the schema of the job variables that `takes` does not cover, without Prefect blocks.

    Args:
        template: the work pool's base job template.
        local: whether it is the local stack's work pool, for which the command cannot be set (`plain.check_plain_text`).
    """
    covered = {IMAGE, ENV, *(each for name in RESOURCES for each in resource_variables(name, template))}
    covered |= {COMMAND} if local else set()
    left = {name: each for name, each in template.variables.items() if name not in covered and not _is_block(each)}
    return {**template.schema, "properties": {**left}, "description": ""}


def _is_block(schema: JsonObject) -> bool:
    """Return whether a variable is a block. Blocks may hold credentials and are created in Prefect. Nothing else is a `$ref`."""
    return "$ref" in schema or any(
        "$ref" in each for key in ("allOf", "anyOf") for each in _schema_members(schema, key)
    )


def _schema_members(schema: JsonObject, key: str) -> list[JsonObject]:
    found = schema.get(key)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
