"""JSON that has one meaning, and models of it: no key twice, no NaN, an object at the top, and of no more than so many bytes.

Most parsers take the last of two equal keys and some the first, so a document with both says different things to different
readers. Here it is refused.
"""

from __future__ import annotations

import json
from typing import NoReturn, TypeVar

from pydantic import BaseModel, JsonValue, ValidationError

Model = TypeVar("Model", bound=BaseModel)

NEWER = "It may come from a newer SatFlow: update the one that reads it."
"""What to do about a document that cannot be read although it was signed."""


def loads(document: bytes, *, limit: int) -> dict[str, JsonValue]:
    """The object of a document.

    Raises:
        ValueError: it is none, or it is too long, too deep, or says something twice.
    """
    if len(document) > limit:
        raise ValueError(f"more than {limit} bytes")
    try:
        value = json.loads(document.decode(), object_pairs_hook=_once, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("too deep") from None
    if not isinstance(value, dict):
        raise ValueError("no object")  # noqa: TRY004 - one kind of error for whatever is wrong with a document
    return value


def read(model: type[Model], document: bytes, *, limit: int) -> Model:
    """The model that a document is.

    Raises:
        ValueError: it is none; in words, the first thing that does not fit.
    """
    try:
        return model.model_validate(loads(document, limit=limit))
    except ValidationError as error:
        where = error.errors(include_url=False)[0]
        raise ValueError(f"{'.'.join(map(str, where['loc']))}: {where['msg']}") from None


def _once(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands there twice")
    return found


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")
