"""Conversion of the user's infrastructure settings to job variables of the work pool, with errors for those that do not fit."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import JsonValue

from satflow_ext.errors import InvalidInfrastructure
from satflow_ext.job_variables.flat import ENV
from satflow_ext.job_variables.misfits import refuse_invalid_values, refuse_missing, refuse_unknown
from satflow_ext.job_variables.template import Template
from satflow_ext.job_variables.worker_types import RESOURCES, WORKER_TYPES, Resource, resource_variables
from satflow_ext.models import Infrastructure, JsonObject

IMAGE = "image"


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
