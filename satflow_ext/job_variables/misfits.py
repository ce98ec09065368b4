"""Checks for job variables that a work pool would ignore, or that its Prefect worker cannot use."""

from __future__ import annotations

from difflib import get_close_matches

from pydantic import JsonValue

from satflow_ext.errors import InvalidInfrastructure
from satflow_ext.job_variables.template import Template
from satflow_ext.models import JsonObject


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
    from prefect.utilities.schema_tools import CircularSchemaRefError, ValidationError, validate

    plain = {name: value for name, value in found.items() if not _is_reference(value)}
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
