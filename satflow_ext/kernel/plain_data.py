"""Containers of plain values, read many values at a time: no Python code runs for a single one.

A chunk of values is described by their types and then, for each type, by the values: plain ones as a pickle without memo, which
is the same whichever objects are shared; containers by their lengths and all that they hold, one after the other, as the next
chunks. Dictionaries and sets are sorted. So equal data give equal bytes in every process.
"""

from __future__ import annotations

import hashlib
import operator
import pickle
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice, repeat
from types import SimpleNamespace
from typing import Any

from satflow_ext.kernel.object_views import ATOMS
from satflow_ext.kernel.process_objects import is_environment_copy

LEAVES = ATOMS | {bytes}
CONTAINERS: tuple[type, ...] = (list, tuple, dict, set, frozenset)
PLAIN = LEAVES.union(CONTAINERS)
SORTABLE = frozenset({bool, int, float, str, bytes})
CODES = dict.fromkeys(LEAVES, 0) | {kind: code for code, kind in enumerate(CONTAINERS, 1)}
CHUNK = 1 << 13
"""Values that are described together; also what bounds the memory that this takes."""
DEEPEST = 8
"""Levels of containers, counted from the outermost. Data inside themselves have more."""
MOST_NESTED = 1 << 22
"""Values in all inner containers, and 64 more for each value of the outermost. Few lists that hold each other can have more."""

get_item = operator.attrgetter("__getitem__")


class NotPlain(Exception):
    """Something that is not plain, that has no order of its own, or too much inside one container."""


def plain_digest(value: object) -> bytes | None:
    """The digest of a container of plain values; None where something else is in it, or too much to read at once."""
    if type(value) not in CONTAINERS:
        return None
    hasher = hashlib.sha256()
    pickler = pickle.Pickler(SimpleNamespace(write=hasher.update), 5)
    pickler.fast = True  # no memo, so that it does not matter which values are one object
    try:
        _Reading(pickler.dump, MOST_NESTED + 65 * len(value)).read(iter((value,)), 0)  # type: ignore[arg-type]  # a container
    except NotPlain:
        return None
    return hasher.digest()


def is_plain(value: object, most: int) -> bool:
    """Whether a container holds plain values only, on all levels; False also where those are too many to look at.

    A copy of the environment is not plain: it must not travel.

    Args:
        value: anything.
        most: how many values of each container are looked at.
    """
    containers: list[Any] = [value] if type(value) in CONTAINERS else []
    for _ in range(DEEPEST):
        if len(containers) > 1 and sum(map(len, containers)) > MOST_NESTED:
            return False
        if any(map(is_environment_copy, filter(_is_dict, containers))):
            return False
        kinds = set(map(type, _contents(containers, most)))
        if kinds <= LEAVES:
            return bool(containers)
        if not kinds <= PLAIN:
            return False
        containers = [each for each in _contents(containers, most) if type(each) in CONTAINERS]
    return False


def _is_dict(value: object) -> bool:
    return type(value) is dict


def _contents(containers: list[Any], most: int) -> Iterator[Any]:
    """The first values of each, of mappings the keys as well."""
    mappings = [each for each in containers if type(each) is dict]
    return chain.from_iterable(map(islice, chain(containers, map(dict.values, mappings)), repeat(most)))


class _Reading:
    """One container read and written."""

    def __init__(self, write: Callable[[object], object], most: int) -> None:
        self._write = write
        self._left = most

    def read(self, values: Iterator[Any], depth: int) -> None:
        """Read values of all types."""
        while chunk := list(islice(values, CHUNK)):
            kinds = set(map(type, chunk))
            if kinds <= LEAVES:
                self._write(chunk)
            elif kinds <= PLAIN and depth < DEEPEST:
                self._read_by_type(chunk, kinds, depth)
            else:
                raise NotPlain

    def _read_by_type(self, chunk: list[Any], kinds: set[type], depth: int) -> None:
        self._write(bytes(map(CODES.__getitem__, map(type, chunk))))
        if kinds & LEAVES:
            self._write([each for each in chunk if type(each) in LEAVES])
        for kind in CONTAINERS:
            if kind in kinds:
                self._read_containers(kind, [each for each in chunk if type(each) is kind], depth + 1)

    def _read_containers(self, kind: type, containers: list[Any], depth: int) -> None:
        """Read containers of one type."""
        lengths = list(map(len, containers))
        self._left -= sum(lengths)
        if self._left < 0:
            raise NotPlain
        self._write(lengths)
        if kind in (list, tuple):
            self.read(chain.from_iterable(containers), depth)
            return
        keys = _sorted(containers)
        self.read(chain.from_iterable(keys), depth)
        if kind is dict:
            self.read(chain.from_iterable(map(map, map(get_item, containers), keys)), depth)


def _sorted(containers: list[Iterable[Any]]) -> list[list[Any]]:
    """What is in each of them, in an order that says nothing of how it was made.

    Raises:
        NotPlain: there is no such order.
    """
    values = containers
    if set(map(type, chain.from_iterable(values))) == {tuple}:
        values = list(chain.from_iterable(containers))
    kinds = set(map(type, chain.from_iterable(values)))
    if not kinds <= SORTABLE:
        raise NotPlain
    if float in kinds and any(map(operator.ne, chain.from_iterable(values), chain.from_iterable(values))):
        raise NotPlain  # not a number, which is neither less nor more than any
    try:
        return list(map(sorted, containers))
    except TypeError:
        raise NotPlain from None
