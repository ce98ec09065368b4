"""Digests of containers of plain values, which are read in chunks, so that no Python code runs per value.

A chunk is described by the types of its values and then, for each type, by the values: plain values as a pickle without memo,
which does not depend on shared objects; containers by their lengths and then their contents, as the next chunks. Dictionaries and
sets are sorted. Equal data therefore gives equal bytes in every process.
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
TYPE_CODES = dict.fromkeys(LEAVES, 0) | {kind: code for code, kind in enumerate(CONTAINERS, 1)}
CHUNK_SIZE = 1 << 13
"""Values per chunk, which also bounds the memory use."""
MAX_DEPTH = 8
"""Maximum nesting depth, counted from the outermost container. Data that contains itself exceeds it."""
MAX_NESTED_VALUES = 1 << 22
"""Maximum number of values in all inner containers, plus 64 per value of the outermost; lists that share lists may exceed it."""

get_item = operator.attrgetter("__getitem__")


class NotPlain(Exception):
    """A container has a value that is not plain, has no defined order, or is too large."""


def plain_digest(value: object) -> bytes | None:
    """Return the digest of a container of plain values; None if it has other values or is too large."""
    if type(value) not in CONTAINERS:
        return None
    hasher = hashlib.sha256()
    pickler = pickle.Pickler(SimpleNamespace(write=hasher.update), 5)
    pickler.fast = True  # no memo, so that it does not matter which values are one object
    try:
        _ContainerReader(pickler.dump, MAX_NESTED_VALUES + 65 * len(value)).read_values(iter((value,)), 0)  # type: ignore[arg-type]  # a container
    except NotPlain:
        return None
    return hasher.digest()


def is_plain(value: object, limit: int) -> bool:
    """Return whether a container holds only plain values, on all levels; False also if it has too many to check.

    A copy of the environment is not plain: it must not be packed.

    Args:
        value: any object.
        limit: the maximum number of values to check per container.
    """
    containers: list[Any] = [value] if type(value) in CONTAINERS else []
    for _ in range(MAX_DEPTH):
        if len(containers) > 1 and sum(map(len, containers)) > MAX_NESTED_VALUES:
            return False
        if any(map(is_environment_copy, filter(_is_dict, containers))):
            return False
        kinds = set(map(type, _first_values(containers, limit)))
        if kinds <= LEAVES:
            return bool(containers)
        if not kinds <= PLAIN:
            return False
        containers = [each for each in _first_values(containers, limit) if type(each) in CONTAINERS]
    return False


def _is_dict(value: object) -> bool:
    return type(value) is dict


def _first_values(containers: list[Any], most: int) -> Iterator[Any]:
    """Return the first values of each container, and the keys of mappings."""
    mappings = [each for each in containers if type(each) is dict]
    return chain.from_iterable(map(islice, chain(containers, map(dict.values, mappings)), repeat(most)))


class _ContainerReader:
    """The state of reading one container."""

    def __init__(self, write: Callable[[object], object], most: int) -> None:
        self._write = write
        self._left = most

    def read_values(self, values: Iterator[Any], depth: int) -> None:
        """Read values of all types."""
        while chunk := list(islice(values, CHUNK_SIZE)):
            kinds = set(map(type, chunk))
            if kinds <= LEAVES:
                self._write(chunk)
            elif kinds <= PLAIN and depth < MAX_DEPTH:
                self._read_by_type(chunk, kinds, depth)
            else:
                raise NotPlain

    def _read_by_type(self, chunk: list[Any], kinds: set[type], depth: int) -> None:
        self._write(bytes(map(TYPE_CODES.__getitem__, map(type, chunk))))
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
            self.read_values(chain.from_iterable(containers), depth)
            return
        keys = _sorted_contents(containers)
        self.read_values(chain.from_iterable(keys), depth)
        if kind is dict:
            self.read_values(chain.from_iterable(map(map, map(get_item, containers), keys)), depth)


def _sorted_contents(containers: list[Iterable[Any]]) -> list[list[Any]]:
    """Return the sorted contents of each container, which do not depend on the insertion order.

    Raises:
        NotPlain: the values have no such order.
    """
    values = containers
    if set(map(type, chain.from_iterable(values))) == {tuple}:
        values = list(chain.from_iterable(containers))
    kinds = set(map(type, chain.from_iterable(values)))
    if not kinds <= SORTABLE:
        raise NotPlain
    if float in kinds and any(map(operator.ne, chain.from_iterable(values), chain.from_iterable(values))):
        raise NotPlain  # NaN, which has no order
    try:
        return list(map(sorted, containers))
    except TypeError:
        raise NotPlain from None
