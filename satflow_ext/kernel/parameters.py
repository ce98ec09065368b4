"""Whether values fit a flow's signature, checked with its real types the way Prefect will when the run starts."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from pydantic import ConfigDict, JsonValue, ValidationError, create_model

from satflow_ext.errors import InvalidParameter
from satflow_ext.kernel.describe import annotation_text
from satflow_ext.kernel.find import AnyFlow
from satflow_ext.models import JsonObject

BLOCK = "$ref"
"""Prefect's reference to a block, which is looked up only when the run starts."""


def check(flow: AnyFlow, given: JsonObject, *, complete: bool) -> None:
    """Check values for a flow's parameters.

    Args:
        flow: the flow.
        given: parameter name → value.
        complete: whether every required parameter needs a value, as a schedule does.

    Raises:
        InvalidParameter: the first one that is wrong.
    """
    known = _signature(flow).parameters
    for name, value in given.items():
        if name in known:
            _check_type(flow, known[name], value)
        else:
            raise _unknown(flow, name, known)
    missing = [name for name, each in known.items() if _required(each) and name not in given]
    if complete and missing:
        raise _missing(flow, missing)


def _signature(flow: AnyFlow) -> inspect.Signature:
    try:
        return inspect.signature(flow.fn, eval_str=True)
    except Exception:  # evaluates the user's annotations, which may not be defined
        return inspect.signature(flow.fn)


def _required(parameter: inspect.Parameter) -> bool:
    many = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    return parameter.default is parameter.empty and not many


def _check_type(flow: AnyFlow, parameter: inspect.Parameter, value: JsonValue) -> None:
    annotation = parameter.annotation
    if annotation is parameter.empty or isinstance(annotation, str) or not flow.should_validate_parameters:
        return
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD) or _has_block(value):
        return
    field: Any = (annotation, ...)
    model = create_model("Parameter", __config__=ConfigDict(arbitrary_types_allowed=True), value=field)
    try:
        model(value=value)
    except ValidationError as error:
        raise _wrong(flow, parameter, error) from None


def _has_block(value: JsonValue) -> bool:
    if isinstance(value, dict):
        return BLOCK in value or any(map(_has_block, value.values()))
    return isinstance(value, list) and any(map(_has_block, value))


def _wrong(flow: AnyFlow, parameter: inspect.Parameter, error: ValidationError) -> InvalidParameter:
    details = error.errors(include_url=False)
    first = details[0]
    inside = "".join(f".{step}" for step in first["loc"][1:])
    wanted = annotation_text(parameter.annotation)
    return InvalidParameter(
        f"Parameter {parameter.name!r} of flow {flow.name!r} does not fit its type {wanted}: "
        f"{f'at {inside[1:]}: ' if inside else ''}{first['msg']}.",
        fix=f"Give a value of type {wanted}.",
        field=f"parameters.{parameter.name}",
    )


def _unknown(flow: AnyFlow, name: str, known: Mapping[str, inspect.Parameter]) -> InvalidParameter:
    has = f"It has: {', '.join(known)}." if known else "It has none."
    more = next((each.name for each in known.values() if each.kind is each.VAR_KEYWORD), None)
    if more is not None:  # Prefect takes what goes there as one value
        has = f"Give it inside {more!r}, as {{{name!r}: …}}."
    return InvalidParameter(f"Flow {flow.name!r} has no parameter {name!r}.", fix=has, field=f"parameters.{name}")


def _missing(flow: AnyFlow, missing: list[str]) -> InvalidParameter:
    names = ", ".join(map(repr, missing))
    return InvalidParameter(
        f"Flow {flow.name!r} needs a value for {names} when it runs on a schedule.",
        fix="Give the value here, or a default in the signature.",
        field=f"parameters.{missing[0]}",
    )
