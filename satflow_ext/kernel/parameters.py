"""Values for a flow's parameters, validated and converted with its real types as Prefect does when the run starts.

The stored value is JSON, from which the run gets the same object as a direct call of the flow with the original value.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeGuard

from prefect.utilities.schema_tools import validation
from pydantic import BaseModel, ConfigDict, JsonValue, SecretBytes, SecretStr, ValidationError, create_model
from pydantic_core import to_jsonable_python

from satflow_ext.errors import InvalidParameter
from satflow_ext.kernel.describe import annotation_text, parameter_schema
from satflow_ext.kernel.fingerprint import compute_fingerprint
from satflow_ext.kernel.flow_discovery import AnyFlow
from satflow_ext.models import JsonObject
from satflow_ext.parameter_values.text import WHOLE_NUMBERS, GivenParameters, text_to_value
from satflow_ext.parameter_values.wording import Steps, mistake_steps, path_text, requirement_text

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

BLOCK_KEY = "$ref"
"""Key of Prefect's reference to a block, which is resolved only when the run starts."""


def convert_schedule_values(
    flow: AnyFlow, schedules: Sequence[GivenParameters], stored: JsonObject
) -> tuple[JsonObject, ...]:
    """Convert the parameters of each schedule, whose runs need a value for every required parameter.

    Args:
        flow: the flow.
        schedules: the parameters of the schedules.
        stored: the parameters of the deployment, which apply where a schedule has none.

    Raises:
        InvalidParameter: a value is not valid, or a required parameter has none; the message names the schedule.
    """
    converted = []
    for position, (values, texts) in enumerate(schedules):
        try:
            converted.append(convert_values(flow, values, texts, require_all=True, inherited=stored))
        except InvalidParameter as error:
            if not values and not texts:  # a parameter of the deployment is missing
                raise
            field = f"schedules.{position}.{error.field or 'parameters'}"
            raise InvalidParameter(f"Schedule {position + 1}: {error.message}", fix=error.fix, field=field) from None
    return tuple(converted)


def convert_values(
    flow: AnyFlow,
    values: Mapping[str, Any],
    texts: Mapping[str, str],
    *,
    require_all: bool,
    inherited: Container[str] = (),
) -> JsonObject:
    """Convert values for a flow's parameters to the JSON that is stored for its runs.

    Args:
        flow: the flow.
        values: parameter name → value, JSON or of the parameter's own type.
        texts: parameter name → value as text.
        require_all: whether every required parameter needs a value, as a schedule does.
        inherited: names of parameters that have a value without one of these.

    Raises:
        InvalidParameter: a value is not valid; the error describes the first such value.
    """
    known = _flow_signature(flow).parameters
    taken: JsonObject = {**parameter_schema(flow), "required": []} if values or texts else {}
    stored: JsonObject = {}
    for name in [*values, *texts]:
        if name not in known:
            raise _unknown_parameter(flow, name, known)
        parameter = _TypedParameter(flow, known[name], taken)
        value = text_to_value(texts[name], parameter.accepts) if name in texts else values[name]
        stored[name] = parameter.to_stored_json(value)
    missing = [n for n, each in known.items() if _is_required(each) and n not in stored and n not in inherited]
    if require_all and missing:
        raise _missing_values(flow, missing)
    return stored


class _TypedParameter:
    """A parameter of a flow, with its type.

    Args:
        flow: the flow.
        parameter: the parameter in the flow's signature.
        taken: the schema with which Prefect validates parameters.
    """

    def __init__(self, flow: AnyFlow, parameter: inspect.Parameter, taken: JsonObject) -> None:
        self._flow = flow
        self._taken = taken
        self._name = parameter.name
        self._annotation = parameter.annotation
        self._model = _build_model(parameter) if flow.should_validate_parameters else None

    def accepts(self, value: Any) -> bool:
        """Return whether a value fits the type, or the schema if the flow does not validate parameters."""
        if self._model is None:
            return self._prefect_accepts(value)
        try:
            self._validate(value)
        except Exception:  # ValidationError, or any error of the user's validator
            return False
        return True

    def to_stored_json(self, value: Any) -> JsonValue:
        """Return JSON that a run converts to the same object as the flow does with the original value.

        Raises:
            InvalidParameter: the value does not fit the type, or no JSON is converted to it.
        """
        if _has_block(value) and _is_json(value):
            return value
        validated = self._validate_or_refuse(value)
        if _is_json(value) and self._prefect_accepts(value):
            return value
        for candidate in _json_candidates(validated):
            if _is_json(candidate) and self._prefect_accepts(candidate) and self._restores(candidate, validated.value):
                return candidate
        if self._model is None and _is_json(value):
            raise self._type_error("it has another type, which Prefect does not accept")
        raise self._not_json_error(value)

    def _validate(self, value: Any) -> _ValidatedValue:
        return _UntypedValue(value) if self._model is None else self._model(value=value)  # type: ignore[return-value]

    def _validate_or_refuse(self, value: Any) -> _ValidatedValue:
        try:
            return self._validate(value)
        except ValidationError as error:
            mistakes = error.errors(include_url=False, include_input=False)
            raise self._validation_error(value, mistakes) from None
        except Exception as error:  # any error of the user's validator
            raise self._type_error(f"its validation raised {type(error).__name__}") from None

    def _prefect_accepts(self, value: JsonValue) -> bool:
        """Return whether a value fits the schema, as Prefect checks it."""
        try:
            validation.validate({self._name: value}, self._taken, raise_on_error=True)
        except (validation.ValidationError, validation.CircularSchemaRefError):
            return False
        return True

    def _restores(self, candidate: JsonValue, original: Any) -> bool:
        try:
            return _is_same(self._validate(candidate).value, original)
        except Exception:  # ValidationError, or any error of the user's validator
            return False

    def _validation_error(self, value: Any, mistakes: list[ErrorDetails]) -> InvalidParameter:
        """Return an error for the deepest position inside the value, as the alternatives of a union fail closer to the root."""
        places = [(mistake_steps(value, mistake), mistake) for mistake in mistakes]
        steps = max((steps for steps, _ in places), key=len)
        expected = requirement_text(mistake for place, mistake in places if place == steps)
        return self._type_error(f"{path_text((self._name, *steps)) if steps else 'it'} {expected}", steps)

    def _type_error(self, reason: str, steps: Steps = ()) -> InvalidParameter:
        type_text = annotation_text(self._annotation)
        return InvalidParameter(
            f"Parameter {self._name!r} of flow {self._flow.name!r} does not fit its type {type_text}: {reason}.",
            fix=f"Give a value of type {type_text}.",
            field=".".join(["parameters", self._name, *map(str, steps)]),
        )

    def _not_json_error(self, value: Any) -> InvalidParameter:
        return InvalidParameter(
            f"Parameter {self._name!r} of flow {self._flow.name!r} cannot be stored: Prefect stores parameters as JSON, from "
            f"which a run could not restore this {type(value).__qualname__}.",
            fix=_suggest_alternative(value),
            field=f"parameters.{self._name}",
        )


class _ValidatedValue(Protocol):
    """A value that was validated against the type of its parameter."""

    value: Any


class _UntypedValue(NamedTuple):
    """A value of unknown type."""

    value: Any


def _flow_signature(flow: AnyFlow) -> inspect.Signature:
    try:
        return inspect.signature(flow.fn, eval_str=True)
    except Exception:  # the user's annotations may use undefined names
        return inspect.signature(flow.fn)


def _build_model(parameter: inspect.Parameter) -> type[BaseModel] | None:
    """Return a model with a value of the parameter's type; None if the type is unknown."""
    annotation = parameter.annotation
    many = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    if annotation is parameter.empty or isinstance(annotation, str) or many:
        return None
    field: Any = (annotation, ...)
    return create_model("Parameter", __config__=ConfigDict(arbitrary_types_allowed=True), value=field)


def _is_required(parameter: inspect.Parameter) -> bool:
    many = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    return parameter.default is parameter.empty and not many


def _has_block(value: Any) -> bool:
    if isinstance(value, dict):
        return BLOCK_KEY in value or any(map(_has_block, value.values()))
    return isinstance(value, list) and any(map(_has_block, value))


def _is_json(value: Any) -> TypeGuard[JsonValue]:
    """Return whether a value is JSON as Prefect stores it; a subclass of a JSON type is not."""
    if type(value) is float:
        return math.isfinite(value)
    if type(value) is list:
        return all(map(_is_json, value))
    if type(value) is dict:
        return all(type(key) is str for key in value) and all(map(_is_json, value.values()))
    return value is None or type(value) in (str, bool) or (type(value) is int and value in WHOLE_NUMBERS)


def _json_candidates(validated: _ValidatedValue) -> Iterator[Any]:
    """Yield the JSON of a validated value, first with only the fields that were set."""
    if not isinstance(validated, BaseModel):
        with suppress(Exception):  # any error of a serializer
            yield to_jsonable_python(validated.value)
        return
    for only_set in (True, False):
        with suppress(Exception):
            made = validated.model_dump(
                mode="json", by_alias=True, round_trip=True, exclude_unset=only_set, warnings=False
            )
            yield made["value"]


def _is_same(one: Any, other: Any) -> bool:
    """Return whether the value that a run would get equals the original; objects without `__eq__` are compared by structure."""
    if type(one) is not type(other):
        return False
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(_is_same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_is_same(each, other[key]) for key, each in one.items())
    try:
        return bool(one == other) or compute_fingerprint(one, exact=True) == compute_fingerprint(other, exact=True)
    except Exception:  # the value's own comparison, which may raise anything
        return False


def _suggest_alternative(value: Any) -> str:
    """Suggest an alternative to a value that cannot be stored as JSON."""
    if isinstance(value, SecretStr | SecretBytes):
        return "List its name in `secrets`, and read it from os.environ in the flow."
    if isinstance(value, int):
        return "Prefect stores whole numbers of at most 64 bits; compute this number in the flow."
    return "Pass a value that JSON can express, or create this value in the flow."


def _unknown_parameter(flow: AnyFlow, name: str, known: Mapping[str, inspect.Parameter]) -> InvalidParameter:
    has = f"It has: {', '.join(known)}." if known else "It has no parameters."
    more = next((each.name for each in known.values() if each.kind is each.VAR_KEYWORD), None)
    if more is not None:  # Prefect accepts all keyword arguments as one value
        has = f"Pass it inside {more!r}, as {{{name!r}: …}}."
    return InvalidParameter(f"Flow {flow.name!r} has no parameter {name!r}.", fix=has, field=f"parameters.{name}")


def _missing_values(flow: AnyFlow, missing: list[str]) -> InvalidParameter:
    names = ", ".join(map(repr, missing))
    return InvalidParameter(
        f"Flow {flow.name!r} needs a value for {names} when it runs on a schedule.",
        fix="Set the value for this deployment, or add a default to the signature.",
        field=f"parameters.{missing[0]}",
    )
