"""Unambiguous JSON, and models of it: no duplicate keys, no NaN, an object at the top level, and a size limit.

Most parsers use the last of two equal keys and some the first, so a document with duplicate keys means different things to
different readers. It is refused here.
"""

from __future__ import annotations

import json
from typing import NoReturn, TypeVar

from pydantic import BaseModel, JsonValue, ValidationError

Model = TypeVar("Model", bound=BaseModel)

NEWER_FIX = "It may come from a newer SatFlow: update SatFlow where it is read."
"""Advice about a document that cannot be read although it was signed."""


def loads(document: bytes, *, limit: int) -> dict[str, JsonValue]:
    """Parse the object in a document.

    Raises:
        ValueError: it is not an object, is too long or too deep, or has a duplicate key.
    """
    if len(document) > limit:
        raise ValueError(f"more than {limit} bytes")
    try:
        value = json.loads(document.decode(), object_pairs_hook=_refuse_duplicate_keys, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("too deep") from None
    if not isinstance(value, dict):
        raise ValueError("not an object")  # noqa: TRY004 - the same error for every problem of a document
    return value


def parse_model(model: type[Model], document: bytes, *, limit: int) -> Model:
    """Parse a document into a model.

    Raises:
        ValueError: it does not match the model; the message describes the first mismatch.
    """
    try:
        return model.model_validate(loads(document, limit=limit))
    except ValidationError as error:
        where = error.errors(include_url=False)[0]
        raise ValueError(f"{'.'.join(map(str, where['loc']))}: {where['msg']}") from None


def _refuse_duplicate_keys(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key")
    return found


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a valid number")
