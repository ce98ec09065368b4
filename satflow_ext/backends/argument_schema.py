"""JSON schema of an argument, from its annotation, else from its documented type, else from its default."""

from __future__ import annotations

import inspect
import re
import warnings
from typing import Any

from pydantic import JsonValue, PydanticSchemaGenerationError, PydanticUserError, TypeAdapter
from pydantic.errors import PydanticInvalidForJsonSchema

from satflow_ext.models import JsonObject

TYPE_SCHEMAS: dict[str, JsonObject] = {
    "str": {"type": "string"},
    "string": {"type": "string"},
    "int": {"type": "integer"},
    "integer": {"type": "integer"},
    "float": {"type": "number"},
    "number": {"type": "number"},
    "bool": {"type": "boolean"},
    "boolean": {"type": "boolean"},
    "dict": {"type": "object"},
    "mapping": {"type": "object"},
    "list": {"type": "array", "items": {}},
}
CHOICE = re.compile(r"^\{(.+)\}")
INNER = re.compile(r"^(list|dict|tuple)\s*(?:of\s+|\[)(.*?)\]?$")


def schema_of_annotation(annotation: Any) -> JsonObject:
    """Return the schema of an annotation, or an empty schema if JSON cannot express the annotation."""
    if annotation in (inspect.Parameter.empty, Any, None):
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a type that JSON cannot express is not a problem here
        try:
            return TypeAdapter(annotation).json_schema()
        except (PydanticSchemaGenerationError, PydanticInvalidForJsonSchema, PydanticUserError, NameError, TypeError):
            return {}


def schema_of_documented_type(text: str) -> JsonObject:
    """Parse a type in numpydoc notation: `int`, `str, optional`, `{"a", "b"}`, `list of str`, `int or None`."""
    if choice := CHOICE.match(text):
        return {"enum": [each.strip(" \"'`") for each in choice[1].split(",")]}
    kinds = [kind for each in _split_alternatives(text) if (kind := _schema_of_type(each))]
    return kinds[0] if len(kinds) == 1 else ({"anyOf": [*kinds]} if kinds else {})


def schema_of_default(value: JsonValue) -> JsonObject:
    """Infer the schema from a default."""
    known = {bool: "bool", int: "int", float: "float", str: "str", dict: "dict", list: "list"}
    return TYPE_SCHEMAS[known[type(value)]] if type(value) in known else {}


def is_json_value(value: object) -> bool:
    """Return whether JSON can express a default."""
    if isinstance(value, dict):
        return all(isinstance(key, str) and is_json_value(each) for key, each in value.items())
    return (
        value is None
        or type(value) in (bool, int, float, str)
        or (type(value) is list and all(map(is_json_value, value)))
    )


def _split_alternatives(text: str) -> list[str]:
    plain = re.sub(r"\(?\boptional\b\)?|\bdefaults?\b.*|\(.*?\)", "", text.lower())
    return [each.strip(" .`'\"") for each in re.split(r",(?![^\[]*\])|\bor\b|\|", plain)]


def _schema_of_type(text: str) -> JsonObject:
    if text in TYPE_SCHEMAS:
        return TYPE_SCHEMAS[text]
    inner = INNER.match(text)
    if inner is None:
        return {}
    if inner[1] == "dict":
        return TYPE_SCHEMAS["dict"]
    items = TYPE_SCHEMAS.get(inner[2].strip().rstrip("s"), {})
    return {"type": "array", "items": items}
