"""A key and its value as one object of a walk."""

from __future__ import annotations


class KeyValue(tuple[object, object]):
    """An item of a mapping or of an object's state. Its two parts add nothing to a path."""

    __slots__ = ()
