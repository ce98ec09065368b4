"""The fields that a work pool offers to the register form."""

from __future__ import annotations

from satflow_ext.credentials.shapes import find_credential
from satflow_ext.errors import InvalidInfrastructure
from satflow_ext.job_variables.fit import IMAGE
from satflow_ext.job_variables.template import ENV, Template
from satflow_ext.job_variables.worker_types import RESOURCES, resource_variables
from satflow_ext.models import Infrastructure, InfrastructureField, JsonObject


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


COMMAND = "command"
"""The job variable with the command that a Prefect worker starts."""


def check_plain_text(infrastructure: Infrastructure, *, local: bool) -> None:
    """Refuse settings that must not be in job variables.

    Args:
        infrastructure: the user's settings.
        local: whether the local stack runs the deployment; it sets the command for each version itself.

    Raises:
        InvalidInfrastructure: a credential, which Prefect would store in plain text; or the local stack's command.
    """
    found = find_credential(infrastructure.model_dump(include={"env", "job_variables"}))
    if found is not None:
        path, what = found
        raise InvalidInfrastructure(
            f"{path[-1]} looks like {what}, and Prefect would store it in plain text.",
            fix="Declare it by name (--secret NAME, docs/secrets.md), or refer to a Prefect block instead: "
            '"{{ prefect.blocks.secret.NAME }}".',
            field=".".join(("infrastructure", *path)),
        )
    if local and COMMAND in infrastructure.job_variables:
        raise InvalidInfrastructure(
            f"The job variable {COMMAND} cannot be set: the local stack sets the command of each version itself.",
            fix="Leave it out.",
            field=f"infrastructure.job_variables.{COMMAND}",
        )
