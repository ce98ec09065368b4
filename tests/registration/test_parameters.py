"""What the Prefect API learns of parameters, and what it would not take."""

from __future__ import annotations

import enum
import json
from typing import Annotated, Literal

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel, Field, SecretStr, TypeAdapter

from satflow_ext.deployments import parameter_schema
from satflow_ext.errors import InvalidParameter, ParametersTooLarge
from satflow_ext.runs.parameter_checks import MAX_JSON_BYTES, check_size

SCHEMA = {
    "title": "Parameters",
    "type": "object",
    "properties": {
        "password": {"type": "string", "default": "hunter2", "description": "the secret", "title": "password"},
        "default": {"type": "integer", "default": 3, "examples": [4]},
        "nested": {"$ref": "#/definitions/Options", "default": {"key": "sk-LEAK"}},
        "either": {"anyOf": [{"type": "string", "default": "leak"}, {"type": "null"}]},
    },
    "required": ["description"],
    "definitions": {
        "Options": {
            "type": "object",
            "description": "doc of a model",
            "properties": {"description": {"type": "string", "default": "leak"}},
        }
    },
}


def test_schema_for_prefect_has_no_value_of_the_users():
    text = json.dumps(parameter_schema.schema_for_prefect(SCHEMA))
    for secret in ("hunter2", "the secret", "sk-LEAK", "leak", "doc of a model"):
        assert secret not in text


def test_schema_for_prefect_keeps_parameters_whose_names_are_keywords():
    public = parameter_schema.schema_for_prefect(SCHEMA)
    assert public["properties"]["default"] == {"type": "integer"}
    assert public["definitions"]["Options"]["properties"] == {"description": {"type": "string"}}
    assert public["required"] == ["description"]


class Kind(enum.Enum):
    A = "a"


class Choice(BaseModel):
    kind: Literal["choice"]
    weights: dict[Kind, int] = Field({}, min_length=1, max_length=3, json_schema_extra={"x-note": "LEAK"})
    password: SecretStr = SecretStr("LEAK")


class Other(BaseModel):
    kind: Literal["other"]
    default: Annotated[int, Field(gt=0, le=9, description="LEAK")] = 1


def test_schema_for_prefect_takes_and_refuses_the_same_values():
    """What is left out is what no value is checked with."""
    schema = TypeAdapter(Annotated[Choice | Other, Field(discriminator="kind", examples=["LEAK"])]).json_schema()
    public = parameter_schema.schema_for_prefect(schema)
    assert "LEAK" not in json.dumps(public)
    for value in (
        {"kind": "choice", "weights": {"a": 1}, "password": "p"},
        {"kind": "choice", "weights": {}},
        {"kind": "choice", "weights": {"b": 1}},
        {"kind": "other", "default": 0},
        {"kind": "other", "default": 9},
        {"kind": "none"},
    ):
        whole, less = (Draft202012Validator(each).is_valid(value) for each in (schema, public))
        assert whole is less, value
    assert {"propertyNames", "minProperties", "writeOnly", "discriminator"} <= keywords(public)
    assert keywords(schema) - keywords(public) == {"description", "examples", "x-note"}


def keywords(value: object) -> set[str]:
    """The keywords of a schema, and the names in it."""
    if isinstance(value, dict):
        return {*value, *(word for each in value.values() for word in keywords(each))}
    return {word for each in value for word in keywords(each)} if isinstance(value, list) else set()


def test_parameters_up_to_prefects_limit_are_taken():
    check_size({"x": "a" * (MAX_JSON_BYTES - len('{"x": ""}'))})


def test_parameters_above_it_are_refused_with_the_numbers():
    with pytest.raises(ParametersTooLarge, match="524,289 bytes of JSON; Prefect accepts at most 524,288"):
        check_size({"x": "a" * (MAX_JSON_BYTES - len('{"x": ""}') + 1)})


def test_schedule_needs_a_value_for_every_required_parameter():
    with pytest.raises(InvalidParameter, match="Scheduled runs need a value for year") as caught:
        parameter_schema.check_complete({"required": ["year"]}, {"month": 1})
    assert caught.value.field == "parameters.year"
