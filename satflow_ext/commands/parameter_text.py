"""Parameter values from the text of a command line, by the flow's parameter schema."""

from __future__ import annotations

from collections.abc import Mapping

from prefect.utilities.schema_tools import validation
from pydantic import JsonValue

from satflow_ext.kernel.options import from_text
from satflow_ext.models import JsonObject


def texts_to_values(texts: Mapping[str, str], schema: JsonObject) -> JsonObject:
    """Convert the text of each parameter to a value.

    Args:
        texts: parameter name → text.
        schema: the flow's parameter schema; a parameter that it does not have is read as JSON or text.
    """
    return {name: text_to_value(name, text, schema) for name, text in texts.items()}


def text_to_value(name: str, text: str, schema: JsonObject) -> JsonValue:
    """Convert text to the JSON it contains, unless only the text itself fits the parameter's type.

    `12345` is a number for `int` and for `int | str`, and text for `str`. A value that fits neither way is returned as JSON,
    for validation to refuse.
    """
    value = from_text(text)
    if isinstance(value, str) or _fits(name, value, schema) or not _fits(name, text, schema):
        return value
    return text


def _fits(name: str, value: JsonValue, schema: JsonObject) -> bool:
    alone = {key: part for key, part in schema.items() if key != "required"}
    return not validation.validate({name: value}, alone, preprocess=False)
