"""Text of `--param` becomes what the flow's own type accepts."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import pytest
from prefect import flow
from prefect.utilities.callables import parameter_schema
from pydantic import BaseModel, SecretStr

from satflow_ext.commands.parameter_text import text_to_value
from satflow_ext.kernel.options import from_text


class Address(BaseModel):
    """A nested model."""

    zip: str


CASES: list[tuple[Any, str, Any]] = [
    (str, "12345", "12345"),
    (str, '"12345"', "12345"),
    (str, "true", "true"),
    (str, "null", "null"),
    (str, "{}", "{}"),
    (str | None, "12345", "12345"),
    (str | None, "null", None),
    (int, "12345", 12345),
    (int | str, "5", 5),
    (bool, "true", True),
    (SecretStr, "1234", SecretStr("1234")),
    (bytes, "12", b"12"),
    (uuid.UUID, "12345678-1234-5678-1234-567812345678", uuid.UUID("12345678123456781234567812345678")),
    (Decimal, "2.5", Decimal("2.5")),
    (dt.date, "2025-08-27", dt.date(2025, 8, 27)),
    (dt.time, "07:30", dt.time(7, 30)),
    (dt.timedelta, "PT1H", dt.timedelta(hours=1)),
    (set[int], "[3, 3]", {3}),
    (tuple[int, str], '[2, "z"]', (2, "z")),
    (dict[int, str], '{"2": "two"}', {2: "two"}),
    (Address, '{"zip": "12345"}', Address(zip="12345")),
    (list[str], '["1"]', ["1"]),
]


@pytest.mark.parametrize("name", ["value", "schema"])
@pytest.mark.parametrize(("annotation", "text", "expected"), CASES)
def test_text_arrives_in_the_flow_as_its_type(annotation: Any, text: str, expected: Any, name: str) -> None:
    def main(value: Any, schema: Any) -> None: ...

    main.__annotations__.update(value=annotation, schema=annotation)
    known = parameter_schema(main).model_dump_for_openapi()
    given = text_to_value(name, text, known)
    assert flow(main).validate_parameters({"value": given, "schema": given})[name] == expected


@pytest.mark.parametrize("text", ["12345", "x", '{"a": 1}'])
def test_a_parameter_without_a_schema_is_json_or_text(text: str) -> None:
    assert text_to_value("unknown", text, {}) == from_text(text)
