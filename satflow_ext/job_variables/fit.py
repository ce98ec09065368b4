"""Conversion of the user's infrastructure settings to job variables of the work pool, with errors for those that do not fit."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from pydantic import JsonValue

from satflow_ext.errors import InvalidInfrastructure
from satflow_ext.job_variables.template import ENV, RESOURCES, WORKER_TYPES, Resource, Template, resource_variables
from satflow_ext.models import Infrastructure, InfrastructureField, JsonObject

IMAGE = "image"
COMMAND = "command"
"""The job variable with the command that a Prefect worker starts."""


def build_job_variables(infrastructure: Infrastructure, template: Template) -> JsonObject:
    """Return the deployment's job variables.

    Raises:
        InvalidInfrastructure: the work pool has no variable for a setting, does not accept a value, or requires another variable.
    """
    found: JsonObject = {}
    for name, value in _setting_values(infrastructure, template):
        _set_variable(found, name, value)
    for name, value in infrastructure.job_variables.items():
        refuse_unknown(name, template)
        _set_variable(found, name, value)
    refuse_missing(found, template)
    refuse_invalid_values(found, template)
    return found


def _setting_values(infrastructure: Infrastructure, template: Template) -> Iterator[tuple[str, JsonValue]]:
    if infrastructure.image is not None:
        _require_variable(IMAGE, template)
        yield IMAGE, infrastructure.image
    if infrastructure.env:
        _require_variable(ENV, template)
        yield ENV, dict(infrastructure.env)
    for name in RESOURCES:
        amount = getattr(infrastructure, name)
        if amount is not None:
            yield from _resource_values(name, amount, template)


def _resource_values(name: Resource, amount: float, template: Template) -> Iterator[tuple[str, JsonValue]]:
    variables = resource_variables(name, template)
    if not variables:
        raise _missing_variable(name, template)
    value = WORKER_TYPES[template.type][name].format_amount(amount)
    for variable in variables:
        is_text = template.variables[variable].get("type") == "string"
        yield variable, str(value) if is_text else value


def _set_variable(found: JsonObject, name: str, value: JsonValue) -> None:
    """Set a variable, and merge two objects that have no key in common."""
    before = found.get(name)
    if isinstance(before, dict) and isinstance(value, dict) and not before.keys() & value.keys():
        found[name] = {**before, **value}
    elif name in found:
        raise InvalidInfrastructure(
            f"{name} is set twice.",
            fix="Set it once: image, cpu, memory, gpus and env set job variables of the work pool.",
            field=f"infrastructure.job_variables.{name}",
        )
    else:
        found[name] = value


def _require_variable(name: str, template: Template) -> None:
    if name not in template.variables:
        raise _missing_variable(name, template)


def _missing_variable(name: str, template: Template) -> InvalidInfrastructure:
    way = WORKER_TYPES.get(template.type, {}).get(name)  # type: ignore[call-overload]  # image and env have none
    fix = (
        f"Add to its base job template {way.missing_part}, or choose another work pool."
        if way
        else f"It has {', '.join(template.variables)}."
        if template.variables
        else "Start a Prefect worker that polls it, which defines its job variables."
    )
    return InvalidInfrastructure(
        f"The work pool {template.pool!r}, of type {template.type}, has no job variable for {name}.",
        fix=fix,
        field=f"infrastructure.{name}",
    )


def refuse_unknown(name: str, template: Template) -> None:
    """Refuse a job variable that the work pool does not have and would ignore.

    Raises:
        InvalidInfrastructure: the work pool does not have it.
    """
    if name in template.variables:
        return
    near = get_close_matches(name, template.variables, n=1)
    raise InvalidInfrastructure(
        f"The work pool {template.pool!r} has no job variable {name!r}.",
        fix=f"Did you mean {near[0]!r}?" if near else f"It has {', '.join(template.variables) or 'none'}.",
        field=f"infrastructure.job_variables.{name}",
    )


def refuse_missing(found: JsonObject, template: Template) -> None:
    """Refuse job variables if a required one is missing.

    Raises:
        InvalidInfrastructure: one is missing.
    """
    for name in template.required:
        if name not in found:
            raise InvalidInfrastructure(
                f"The work pool {template.pool!r} requires the job variable {name!r}, which is not set.",
                fix=f"Set it: --job-variable {name}=VALUE.",
                field=f"infrastructure.job_variables.{name}",
            )


def refuse_invalid_values(found: JsonObject, template: Template) -> None:
    """Refuse values that the schema does not allow, by the rules of Prefect's server.

    References to Prefect blocks and Prefect variables are not checked: the Prefect worker resolves them.

    Raises:
        InvalidInfrastructure: a value is not allowed.
    """
    plain = {name: value for name, value in found.items() if not _is_reference(value)}
    if not plain:  # the import below takes a second
        return
    from prefect.utilities.schema_tools import CircularSchemaRefError, ValidationError, validate

    try:
        wrong = validate(plain, template.schema, ignore_required=True, allow_none_with_default=True)
    except (CircularSchemaRefError, ValidationError) as error:
        raise InvalidInfrastructure(
            f"The base job template of the work pool {template.pool!r} cannot be used: {error}.",
            fix="Correct it in Prefect.",
            field="work_pool",
        ) from None
    for each in wrong:
        path = ".".join(map(str, each.absolute_path))
        raise InvalidInfrastructure(
            f"The work pool {template.pool!r} does not accept the value of {path}: {each.message}.",
            fix="See `prefect work-pool inspect` for the values that it accepts.",
            field=f"infrastructure.job_variables.{path}",
        )


def _is_reference(value: JsonValue) -> bool:
    return (isinstance(value, str) and "{{" in value) or (isinstance(value, dict) and "$ref" in value)


def supported_fields(template: Template) -> tuple[InfrastructureField, ...]:
    """Return the fields of `Infrastructure` for which the work pool has a variable."""
    plain: tuple[InfrastructureField, ...] = tuple(name for name in ("image", "env") if name in template.variables)
    return (*plain, *(name for name in RESOURCES if resource_variables(name, template)))


def other_variables_schema(template: Template, *, local: bool) -> JsonObject:
    """Return the schema of the job variables that no field of `supported_fields` covers, without Prefect blocks.

    Args:
        template: the work pool's base job template.
        local: whether it is the local stack's work pool, for which the command cannot be set (`check_plain_text`).
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


def check_plain_text(infrastructure: Infrastructure, *, local: bool) -> None:
    """Refuse settings that must not be in job variables.

    Args:
        infrastructure: the user's settings.
        local: whether the local stack runs the deployment; it sets the command for each version itself.

    Raises:
        InvalidInfrastructure: a credential, which Prefect would store in plain text; or the local stack's command.
    """
    from satflow_ext.credentials.shapes import find_credential  # compiles many regular expressions

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
