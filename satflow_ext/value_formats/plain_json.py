"""JSON of plain Python values, from which exactly the same values are read: types that JSON lacks are tagged objects.

    (1, date(2026, 1, 2))  →  {"$type": "tuple", "value": [1, {"$type": "date", "value": "2026-01-02"}]}

Types are compared exactly: an instance of a subclass, such as an `IntEnum` or a `numpy.float64`, is not a plain value.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path, PosixPath
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

TAG = "$type"
_JSON_TYPES = (type(None), bool, int, float, str)
_SURROGATE_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
"""Two characters that are one after they were read from JSON."""


class NotPlain(Exception):
    """The value, or a part of it, has another type."""


class ValueTooLarge(Exception):
    """The encoded value is larger than the limit."""


def encode_plain(value: object, limit: int) -> bytes:
    """Return the JSON of a value.

    Args:
        value: the value.
        limit: maximum number of bytes. It is checked before the JSON exists, as far as possible: the value may be large.

    Raises:
        NotPlain: the value contains an object of another type, contains itself, or is nested too deeply.
        ValueTooLarge: the JSON would be larger than the limit.
    """
    try:
        return json.dumps(_Encoder(limit).to_json(value), separators=(",", ":")).encode()
    except (RecursionError, ValueError) as error:  # ValueError: an integer with more digits than Python converts
        raise NotPlain from error


def decode_plain(document: bytes) -> object:
    """Return the value from its JSON.

    Raises:
        ValueError: it is not the JSON of a value.
    """
    try:
        return json.loads(document, object_hook=_from_object)
    except (KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from None


class _Encoder:
    """The conversion of one value to objects of JSON.

    Args:
        limit: maximum number of characters.
    """

    def __init__(self, limit: int) -> None:
        self._left = limit

    def to_json(self, value: object) -> object:
        """Convert a value or a part of it."""
        kind = type(value)
        self._left -= len(value) + 2 if isinstance(value, str | bytes | bytearray) else 1
        if self._left < 0:
            raise ValueTooLarge
        if isinstance(value, str) and _SURROGATE_PAIR.search(value):
            raise NotPlain
        if kind in _JSON_TYPES:
            return value
        if isinstance(value, list) and kind is list:
            return self._encode_items(value)
        if isinstance(value, dict) and kind is dict:
            return self._encode_dict(value)
        if kind in _CONTAINERS:
            return {TAG: _CONTAINERS[kind], "value": self._encode_items(value)}
        if kind in _TAGGED_TYPES:
            tagged = _TAGGED_TYPES[kind]
            return {TAG: tagged.name, "value": tagged.encode(value)}
        raise NotPlain

    def _encode_items(self, value: Any) -> list[object]:
        return [self.to_json(each) for each in value]

    def _encode_dict(self, value: dict[Any, Any]) -> dict[str, object]:
        if all(type(key) is str for key in value) and TAG not in value:
            return {str(self.to_json(key)): self.to_json(each) for key, each in value.items()}
        return {TAG: "dict", "value": [[self.to_json(key), self.to_json(each)] for key, each in value.items()]}


def _from_object(found: dict[str, Any]) -> object:
    if TAG not in found:
        return found
    return dict(found["value"]) if found[TAG] == "dict" else _DECODERS[found[TAG]](found["value"])


def _encode_bytes(value: Any) -> str:
    return base64.b64encode(value).decode()


def _encode_datetime(value: dt.datetime) -> list[object]:
    """Return the local time and its zone: None, or the name of an IANA zone. Of a fixed offset, the text is complete."""
    zone = value.tzinfo
    if zone is None or type(zone) is dt.timezone:
        return [value.isoformat(), None, value.fold]
    if isinstance(zone, ZoneInfo) and zone.key:
        return [value.replace(tzinfo=None).isoformat(), zone.key, value.fold]
    raise NotPlain


def _decode_datetime(parts: list[Any]) -> dt.datetime:
    text, zone, fold = parts
    moment = dt.datetime.fromisoformat(text).replace(fold=fold)
    return moment.replace(tzinfo=ZoneInfo(zone)) if zone else moment


def _encode_time(value: dt.time) -> str:
    if value.tzinfo is not None and type(value.tzinfo) is not dt.timezone:
        raise NotPlain
    return value.isoformat()


class _TaggedType(NamedTuple):
    name: str
    encode: Callable[[Any], object]
    decode: Callable[[Any], object]


_CONTAINERS: dict[type, str] = {tuple: "tuple", set: "set", frozenset: "frozenset"}
_TAGGED_TYPES: dict[type, _TaggedType] = {
    bytes: _TaggedType("bytes", _encode_bytes, base64.b64decode),
    bytearray: _TaggedType("bytearray", _encode_bytes, lambda text: bytearray(base64.b64decode(text))),
    complex: _TaggedType("complex", lambda value: [value.real, value.imag], lambda parts: complex(*parts)),
    dt.datetime: _TaggedType("datetime", _encode_datetime, _decode_datetime),
    dt.date: _TaggedType("date", dt.date.isoformat, dt.date.fromisoformat),
    dt.time: _TaggedType("time", _encode_time, dt.time.fromisoformat),
    dt.timedelta: _TaggedType(
        "timedelta",
        lambda value: [value.days, value.seconds, value.microseconds],
        lambda parts: dt.timedelta(*parts),
    ),
    Decimal: _TaggedType("decimal", str, Decimal),
    UUID: _TaggedType("uuid", str, UUID),
    PosixPath: _TaggedType("path", str, Path),
}
_DECODERS: dict[str, Callable[[Any], object]] = {
    **{name: kind for kind, name in _CONTAINERS.items()},
    **{tagged.name: tagged.decode for tagged in _TAGGED_TYPES.values()},
}
