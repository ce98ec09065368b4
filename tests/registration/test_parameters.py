"""What the Prefect API learns of parameters, and what it would not take."""

from __future__ import annotations

import json

import pytest

from satflow_ext.errors import InvalidParameter, ParametersTooLarge
from satflow_ext.registration import parameters
from satflow_ext.runs.parameters import LIMIT, check_size

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
    text = json.dumps(parameters.schema_for_prefect(SCHEMA))
    for secret in ("hunter2", "the secret", "sk-LEAK", "leak", "doc of a model"):
        assert secret not in text


def test_schema_for_prefect_keeps_parameters_whose_names_are_keywords():
    public = parameters.schema_for_prefect(SCHEMA)
    assert public["properties"]["default"] == {"type": "integer"}
    assert public["definitions"]["Options"]["properties"] == {"description": {"type": "string"}}
    assert public["required"] == ["description"]


def test_parameters_up_to_prefects_limit_are_taken():
    check_size({"x": "a" * (LIMIT - len('{"x": ""}'))})


def test_parameters_above_it_are_refused_with_the_numbers():
    with pytest.raises(ParametersTooLarge, match="524,289 bytes of JSON; Prefect takes at most 524,288"):
        check_size({"x": "a" * (LIMIT - len('{"x": ""}') + 1)})


def test_schedule_needs_a_value_for_every_required_parameter():
    with pytest.raises(InvalidParameter, match="Scheduled runs need a value for year") as caught:
        parameters.check_complete({"required": ["year"]}, {"month": 1})
    assert caught.value.field == "parameters.year"
