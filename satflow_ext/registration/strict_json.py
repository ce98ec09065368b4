"""JSON that has one meaning: no key twice, no NaN, an object at the top, and of no more than so many bytes.

Most parsers take the last of two equal keys and some the first, so a document with both says different things to different
readers. Here it is refused.
"""

from __future__ import annotations

import json
from typing import NoReturn

from pydantic import JsonValue


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


def _once(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands there twice")
    return found


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")
