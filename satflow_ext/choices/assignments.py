"""Assignments in options: `--param name=value`."""

from __future__ import annotations

from collections.abc import Iterable

from satflow_ext.errors import BadRequest


def parse_assignments(texts: Iterable[str], option: str, noun: str, field: str) -> dict[str, str]:
    """Convert `["n=3", "name=x"]` to `{"n": "3", "name": "x"}`.

    Args:
        texts: the values of an option.
        option: the option.
        noun: a noun for the thing that the option sets, for the message.
        field: the field of the request that the error names.

    Raises:
        BadRequest: no `=` in one of them.
    """
    given = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise BadRequest(
                f"The {noun} {text!r} lacks a name or a value.", fix=f"Write {option} name=value.", field=field
            )
        given[name] = value
    return given
