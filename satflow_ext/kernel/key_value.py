"""A key and its value, looked at together."""

from __future__ import annotations


class Pair(tuple[object, object]):
    """What a mapping or an object's state is made of. Its two parts add nothing to a path."""

    __slots__ = ()
