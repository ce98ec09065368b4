"""Validation and conversion of values by a JSON schema, where the flow's own types are not available.

A flow accepts more values than its JSON schema, because pydantic converts: `"5"` for `int`, seconds for `timedelta`, a time
without a time zone. Such values are converted to the form that the schema accepts, so that Prefect, which validates by the
schema, accepts them as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from ipaddress import IPv4Address, IPv6Address
from typing import Any, NamedTuple
from uuid import UUID

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError as SchemaError
from pydantic import AnyUrl, JsonValue, TypeAdapter, ValidationError
from referencing import Registry
from referencing.exceptions import Unresolvable

from satflow_ext.models import JsonObject
from satflow_ext.parameter_values.text import WHOLE_NUMBERS, ExactNumber
from satflow_ext.parameter_values.wording import FORMAT_DESCRIPTIONS, Steps, join_requirements, shorten_text

PARSED_TYPES: Mapping[str, Any] = {
    "boolean": bool,
    "date": date,
    "date-time": datetime,
    "duration": timedelta,
    "integer": int,
    "ipv4": IPv4Address,
    "ipv6": IPv6Address,
    "number": float,
    "regex": re.Pattern,
    "time": time,
    "uri": AnyUrl,
    "uuid": UUID,
}
"""Types and formats whose values pydantic parses → the type that it parses them to."""

REQUIREMENTS = {
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "exclusiveMinimum": "must be more than {}",
    "exclusiveMaximum": "must be less than {}",
    "multipleOf": "must be a multiple of {}",
    "minLength": "must have at least {} characters",
    "maxLength": "must have at most {} characters",
    "minItems": "must have at least {} items",
    "maxItems": "must have at most {} items",
    "pattern": "must match the pattern {!r}",
    "enum": "must be one of {}",
    "const": "must be {!r}",
}
"""Requirements for a value, by the schema keyword that it violates."""

SCALARS: Mapping[str, Any] = {"boolean": bool, "integer": int, "number": (int, float)}
CONTAINERS = frozenset({"array", "object"})
DEFINITION_REFERENCE = re.compile(r"#/(definitions|\$defs)/([^/]+)")
BLOCK_REFERENCE = {"type": "object", "required": ["$ref"]}
"""Prefect's reference to a block."""

MAX_REFERENCES = 100
"""Maximum length of a chain of references."""


class Mistake(NamedTuple):
    """The steps to an invalid value, beginning with the parameter, and the requirement for it."""

    steps: Steps
    requirement: str


def convert_values(values: JsonObject, schema: JsonObject) -> JsonObject:
    """Convert values to the form that the schema accepts, as pydantic does in the run. Other values stay unchanged."""
    known, rules = schema.get("properties"), _SchemaConverter(schema)
    if not isinstance(known, dict):
        return values
    return {name: rules.convert_value(value, known.get(name, {})) for name, value in values.items()}


def value_fits(name: str, value: JsonValue, schema: JsonObject) -> bool:
    """Return whether the converted value of one parameter fits the schema."""
    alone: JsonObject = {**schema, "required": []}
    return not find_mistakes(convert_values({name: value}, alone), alone)


def find_mistakes(values: JsonObject, schema: JsonObject) -> list[Mistake]:
    """Return the invalid values, sorted by the parameters' names; none if the schema itself is invalid."""
    try:
        found = [_to_mistake(error) for error in _make_validator(schema).iter_errors(values)]
    except (RecursionError, Unresolvable):  # Prefect will refuse this schema
        return []
    found += [Mistake(steps, "must be a whole number of at most 64 bits") for steps in _large_numbers(values)]
    return sorted(found, key=lambda mistake: [str(step) for step in mistake.steps])


class _SchemaConverter:
    """Conversion of values by parts of a schema.

    Args:
        schema: the whole schema, with its definitions.
    """

    def __init__(self, schema: JsonObject) -> None:
        self._definitions: JsonObject = {key: schema[key] for key in ("definitions", "$defs") if key in schema}
        self._validators: dict[int, Draft202012Validator] = {}

    def convert_value(self, value: JsonValue, part: JsonValue) -> JsonValue:
        part = self._resolve_reference(part)
        choices = next((part[key] for key in ("anyOf", "oneOf", "allOf") if isinstance(part.get(key), list)), None)
        if isinstance(choices, list):
            return self._convert_choice(value, choices)
        if isinstance(value, list) and part.get("type") == "array":
            return self._convert_list(value, part)
        if isinstance(value, dict):
            return self._convert_object(value, part)
        return value if "enum" in part or "const" in part else _convert_scalar(value, part)

    def _convert_choice(self, value: JsonValue, choices: list[JsonValue]) -> JsonValue:
        """Convert by the first choice that accepts the unconverted value, else by the first that accepts the converted one."""
        if _is_decimal(choices) and _loses_digits(value):
            return str(value)
        for each in choices:
            if self._accepts(value, each):
                converted = self.convert_value(value, each)
                return converted if converted is value or self._accepts(converted, each) else value
        for each in choices:
            if self._accepts(converted := self.convert_value(value, each), each):
                return converted
        return value

    def _convert_list(self, value: list[JsonValue], part: JsonObject) -> JsonValue:
        first, rest = part.get("prefixItems"), part.get("items", {})
        firsts = first if isinstance(first, list) else []
        made = [self.convert_value(each, firsts[at] if at < len(firsts) else rest) for at, each in enumerate(value)]
        if not part.get("uniqueItems"):
            return made
        return [*{json.dumps(each, sort_keys=True): each for each in made}.values()]

    def _convert_object(self, value: dict[str, JsonValue], part: JsonObject) -> JsonValue:
        known, rest = part.get("properties"), part.get("additionalProperties", {})
        fields = known if isinstance(known, dict) else {}
        return {key: self.convert_value(each, fields.get(key, rest)) for key, each in value.items()}

    def _accepts(self, value: JsonValue, part: JsonValue) -> bool:
        validator = self._validators.get(id(part))
        if validator is None:
            validator = self._validators[id(part)] = _make_validator({**self._definitions, "allOf": [part]})
        try:
            return validator.is_valid(value) and not any(True for _ in _large_numbers(value))
        except (RecursionError, Unresolvable):
            return False

    def _resolve_reference(self, part: JsonValue) -> JsonObject:
        for _ in range(MAX_REFERENCES):
            found = DEFINITION_REFERENCE.fullmatch(str(part.get("$ref"))) if isinstance(part, dict) else None
            if found is None:
                break
            among = self._definitions.get(found[1])
            part = among.get(found[2], {}) if isinstance(among, dict) else {}
        return part if isinstance(part, dict) else {}


def _convert_scalar(value: JsonValue, part: JsonObject) -> JsonValue:
    kind = part.get("type")
    if isinstance(kind, str) and kind in SCALARS:
        is_bool = isinstance(value, bool)
        is_whole = kind != "integer" or not isinstance(value, float)
        fits_already = is_bool is (kind == "boolean") and isinstance(value, SCALARS[kind]) and is_whole
        return value if fits_already else _parse_value(value, kind)
    form = part.get("format")
    if kind == "string" and isinstance(form, str) and not isinstance(value, str):
        return _parse_value(value, form)
    return value


def _parse_value(value: JsonValue, kind: str) -> JsonValue:
    """Parse a value as pydantic does, and return it as JSON; a value that cannot be parsed is unchanged."""
    if kind not in PARSED_TYPES or value is None:
        return value
    adapter = _type_adapter(kind)
    try:
        made: JsonValue = adapter.dump_python(adapter.validate_python(value), mode="json")
    except ValidationError:
        return value
    return made


def _loses_digits(value: JsonValue) -> bool:
    """Return whether Prefect would store a number with fewer digits than it has."""
    if isinstance(value, ExactNumber):
        return Decimal(repr(float(value))) != Decimal(value.text)
    return isinstance(value, int) and value not in WHOLE_NUMBERS


def _large_numbers(value: JsonValue, steps: Steps = ()) -> Iterator[Steps]:
    if isinstance(value, int) and value not in WHOLE_NUMBERS:
        yield steps
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _large_numbers(each, (*steps, key))
    elif isinstance(value, list):
        for at, each in enumerate(value):
            yield from _large_numbers(each, (*steps, at))


def _is_decimal(choices: list[JsonValue]) -> bool:
    types = [each.get("type") for each in choices if isinstance(each, dict)]
    return "number" in types and "string" in types


@cache
def _type_adapter(kind: str) -> TypeAdapter[Any]:
    return TypeAdapter(PARSED_TYPES[kind])


def _make_validator(schema: JsonObject) -> Draft202012Validator:
    """Return a validator that fetches no external references of the schema."""
    return Draft202012Validator(_modernize_schema(schema), format_checker=_format_checker(), registry=Registry())


def _modernize_schema(part: Any) -> Any:
    """Return a schema with tuples as in JSON Schema 2020-12, and with references accepted as blocks, as Prefect does.

    Prefect also accepts null for parameters that are not required; the flow does not.
    """
    if isinstance(part, list):
        return [_modernize_schema(each) for each in part]
    if not isinstance(part, dict):
        return part
    made = {key: _modernize_schema(each) for key, each in part.items()}
    if isinstance(made.get("items"), list):
        made["prefixItems"] = made.pop("items")
    return {"anyOf": [made, BLOCK_REFERENCE]} if "block_type_slug" in made else made


@cache
def _format_checker() -> FormatChecker:
    """Return format checks that use pydantic: the flow accepts every value that pydantic parses."""
    checker = FormatChecker(formats=())
    for name in PARSED_TYPES.keys() - SCALARS.keys():
        checker.checks(name, raises=ValidationError)(_format_check(name))
    return checker


def _format_check(name: str) -> Any:
    def parses(value: object) -> bool:
        if isinstance(value, str):
            _type_adapter(name).validate_python(value)
        return True

    return parses


def _to_mistake(error: SchemaError) -> Mistake:
    """Return the mistake of an error; for alternative schemas, the mistake deepest inside the value."""
    leaves = list(_leaf_errors(error))
    depth = max(len(_error_steps(each)) for each in leaves)
    deepest = [each for each in leaves if len(_error_steps(each)) == depth]
    first = deepest[0]
    requirements = dict.fromkeys(
        _requirement_text(each) for each in deepest if _error_steps(each) == _error_steps(first)
    )
    return Mistake(_error_steps(first), join_requirements(requirements))


def _leaf_errors(error: SchemaError) -> Iterator[SchemaError]:
    for each in error.context or ():
        yield from _leaf_errors(each)
    if not error.context:
        yield error


def _error_steps(error: SchemaError) -> Steps:
    """Return the steps to the invalid value; for a missing or forbidden field, the steps to that field."""
    steps, fields = tuple(error.absolute_path), []
    if error.validator == "required":
        fields = [name for name in error.validator_value if name not in error.instance]
    elif error.validator == "additionalProperties" and error.validator_value is False:
        fields = [name for name in error.instance if name not in error.schema.get("properties", {})]
    return (*steps, *fields[:1])


def _requirement_text(error: SchemaError) -> str:
    keyword, constraint = str(error.validator), error.validator_value
    if keyword == "required":
        return "needs a value"
    if keyword == "format":
        return f"must be {FORMAT_DESCRIPTIONS.get(str(constraint), f'a valid {constraint}')}"
    if keyword == "type":
        return f"must be {_describe_type(error.schema, constraint)}"
    if keyword == "additionalProperties":
        return "is not a field of it"
    if keyword in REQUIREMENTS:
        return shorten_text(REQUIREMENTS[keyword].format(constraint))
    return f"does not fit {keyword!r}"


def _describe_type(part: object, type_names: object) -> str:
    """Describe the values of a type, by its format if it has one."""
    form = part.get("format") if isinstance(part, dict) else None
    types = type_names if isinstance(type_names, list) else [type_names]
    return FORMAT_DESCRIPTIONS.get(str(form)) or " or ".join(
        FORMAT_DESCRIPTIONS.get(str(each), str(each)) for each in types
    )
