"""JSON schema of an argument, from its annotation, else from its documented type, else from its default."""

from __future__ import annotations

import inspect
import re
import warnings
from typing import Any

from pydantic import JsonValue, PydanticSchemaGenerationError, PydanticUserError, TypeAdapter
from pydantic.errors import PydanticInvalidForJsonSchema

from satflow_ext.models import JsonObject

WORDS: dict[str, JsonObject] = {
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


def of_annotation(annotation: Any) -> JsonObject:
    """Return the schema of an annotation, or an empty schema if JSON cannot express the annotation."""
    if annotation in (inspect.Parameter.empty, Any, None):
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a type that JSON cannot express is not a problem here
        try:
            return TypeAdapter(annotation).json_schema()
        except (PydanticSchemaGenerationError, PydanticInvalidForJsonSchema, PydanticUserError, NameError, TypeError):
            return {}


def of_words(text: str) -> JsonObject:
    """Parse a type in numpydoc notation: `int`, `str, optional`, `{"a", "b"}`, `list of str`, `int or None`."""
    if choice := CHOICE.match(text):
        return {"enum": [each.strip(" \"'`") for each in choice[1].split(",")]}
    kinds = [kind for each in _alternatives(text) if (kind := _kind(each))]
    return kinds[0] if len(kinds) == 1 else ({"anyOf": [*kinds]} if kinds else {})


def of_value(value: JsonValue) -> JsonObject:
    """Infer the schema from a default."""
    known = {bool: "bool", int: "int", float: "float", str: "str", dict: "dict", list: "list"}
    return WORDS[known[type(value)]] if type(value) in known else {}


def is_plain(value: object) -> bool:
    """Return whether JSON can express a default."""
    if isinstance(value, dict):
        return all(isinstance(key, str) and is_plain(each) for key, each in value.items())
    return (
        value is None or type(value) in (bool, int, float, str) or (type(value) is list and all(map(is_plain, value)))
    )


def _alternatives(text: str) -> list[str]:
    plain = re.sub(r"\(?\boptional\b\)?|\bdefaults?\b.*|\(.*?\)", "", text.lower())
    return [each.strip(" .`'\"") for each in re.split(r",(?![^\[]*\])|\bor\b|\|", plain)]


def _kind(text: str) -> JsonObject:
    if text in WORDS:
        return WORDS[text]
    inner = INNER.match(text)
    if inner is None:
        return {}
    if inner[1] == "dict":
        return WORDS["dict"]
    items = WORDS.get(inner[2].strip().rstrip("s"), {})
    return {"type": "array", "items": items}
