"""The fingerprint of a flow, which changes if and only if the flow or an object that it reaches changes.

The same notebook executed again in a fresh kernel gives the same value: the fingerprint does not depend on addresses, hash
randomization, line numbers or file names. Each minor version of Python compiles to different bytecode, and so gives a
different fingerprint.

A sampled fingerprint (the default) reads only parts of large data, so that it can be computed after every cell; an exact
fingerprint reads all data.
"""

from __future__ import annotations

import hashlib
import sys
import time
import weakref
from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import islice
from types import CodeType
from typing import NamedTuple

from satflow_ext.kernel.key_value import KeyValue
from satflow_ext.kernel.object_views import ATOMS, View, view_object
from satflow_ext.kernel.plain_data import plain_digest
from satflow_ext.kernel.process_objects import find_reference
from satflow_ext.setup_cells import list_setup_cells

FORMAT = b"satflow fingerprint 1"
DATA_KINDS = frozenset({"list", "tuple", "dict", "set", "frozenset", "object"})
FULL_VALUES = 500
"""Values that a sampled fingerprint reads of one data object; then 8 of each container; after twice as many only lengths."""
FULL_ITEMS = 200
SLOW_SECONDS = 0.01
"""Seconds. An object that takes longer to read is not read again."""


class SlowDigests:
    """Digests of objects that are too slow to read after each cell, by identity. One per kernel."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[weakref.ref[object], bytes]] = {}

    def get(self, value: object) -> bytes | None:
        """Return the digest of an object from when it was read; None if it was not."""
        known = self._known.get(id(value))
        return known[1] if known is not None and known[0]() is value else None

    def put(self, value: object, digest: bytes) -> None:
        """Store a digest, if the object supports weak references."""
        try:
            self._known[id(value)] = weakref.ref(value), digest
        except TypeError:
            return


class Digest(NamedTuple):
    """The digest of an object, the number of its values, and whether all of them were read."""

    digest: bytes
    weight: int
    full: bool


class SharedDigests:
    """Digests that do not depend on how their objects were reached, for flows that are read together."""

    def __init__(self) -> None:
        self.known: dict[int, Digest] = {}
        self.alive: list[object] = []  # ids stay unique only while their objects live


def compute_fingerprint(
    value: object, *, exact: bool = False, slow: SlowDigests | None = None, shared: SharedDigests | None = None
) -> str:
    """Return the fingerprint of an object, together with the setup cells, as 64 hexadecimal digits.

    Args:
        value: usually a flow.
        exact: read large data in full.
        slow: digests of objects that earlier calls found too slow to read again.
        shared: digests computed for other flows, with no cell run in between. They only save time.

    Raises:
        RecursionError: data is nested deeper than Python's stack.
    """
    setup = _hash_pieces([cell.text.encode() for cell in list_setup_cells()]) if list_setup_cells() else b""
    return hashlib.sha256(
        FORMAT + setup + _Walk(exact, slow, shared or SharedDigests()).compute_digest(value)
    ).hexdigest()


class _Walk:
    """One walk. The digest of an object combines those of its parts; for an object inside itself it is the distance up.

    Code is always read in full. Data values are counted from the outermost container, so that the amount read depends on the
    data alone. In a cycle each digest depends on the entry point, so these digests are dropped when the walk leaves the cycle.
    """

    def __init__(self, exact: bool, slow: SlowDigests | None, shared: SharedDigests) -> None:
        self._exact = exact
        self._limit = sys.maxsize if exact else FULL_VALUES
        self._slow = None if exact else slow
        self._shared = shared
        self._open: dict[int, int] = {}
        self._circle: dict[int, Digest] = {}
        self._highest = sys.maxsize  # the depth of the outermost open object that was reached again
        self._count: int | None = None  # values read since the outermost container, None in code

    def compute_digest(self, value: object) -> bytes:
        kind = type(value)
        if kind is KeyValue:
            return _hash_pieces([b"pair", self.compute_digest(value[0]), self.compute_digest(value[1])])  # type: ignore[index]  # a tuple
        if kind is CodeType:
            return code_digest(value)
        if kind in ATOMS:
            self._add_weight(1)
            return atom_digest(value, self._digest_buffer)
        if kind in (list, tuple, dict) and (data := self._container_digest(value)) is not None:
            return data
        known = self._find_digest(value) or (self._full_plain_digest(value) if kind in (set, frozenset) else None)
        return known if known is not None else self._walk_object(value)

    def _container_digest(self, value: object) -> bytes | None:
        """Return the digest of a container of plain values; None for others, and for objects of the process (read by name)."""
        if find_reference(value) is not None:
            return None
        if type(value) is not dict and (text := plain_sequence_digest(value)) is not None:  # type: ignore[arg-type]  # a sequence
            self._add_weight(1)
            return text
        return self._find_digest(value) or self._full_plain_digest(value)

    def _full_plain_digest(self, value: object) -> bytes | None:
        """Return the digest of a container of plain values if it is read in full, else None."""
        digest = plain_digest(value) if self._exact else None
        if digest is not None:
            self._shared.alive.append(value)
            self._shared.known[id(value)] = Digest(digest, 1, True)
            self._add_weight(1)
        return digest

    def _add_weight(self, weight: int) -> None:
        if self._count is not None:
            self._count += weight

    def _find_digest(self, value: object) -> bytes | None:
        if (depth := self._open.get(id(value))) is not None:
            self._highest = min(self._highest, depth)
            return b"inside itself, %d up" % (len(self._open) - depth)
        known = self._circle.get(id(value)) or self._shared.known.get(id(value))
        if known is None:
            return self._slow.get(value) if self._slow is not None else None
        if self._count is not None and not (known.full and self._count + known.weight <= self._limit):
            return None
        self._add_weight(known.weight)
        return known.digest

    def _walk_object(self, value: object) -> bytes:
        started = time.perf_counter()
        view = view_object(value)
        self._shared.alive.append(value)
        depth = self._open[id(value)] = len(self._open)
        outer, self._highest, circle = self._highest, sys.maxsize, len(self._circle)
        known, keep = self._count_parts(view)
        del self._open[id(value)]
        if keep:
            self._store_digest(value, known, depth, circle)
        if self._highest >= depth:
            self._leave_cycle(circle)
        self._highest = min(outer, self._highest) if self._highest < depth else outer
        if self._slow is not None and view.kind == "object" and time.perf_counter() - started > SLOW_SECONDS:
            self._slow.put(value, known.digest)
        return known.digest

    def _store_digest(self, value: object, known: Digest, depth: int, circle: int) -> None:
        """Store a digest: permanently, or for a part of a cycle until the walk leaves it; not for the entry point of a cycle."""
        if self._highest < depth:
            self._circle[id(value)] = known
        elif self._highest > depth or len(self._circle) == circle:
            self._shared.known[id(value)] = known

    def _leave_cycle(self, size: int) -> None:
        while len(self._circle) > size:
            self._circle.popitem()

    def _count_parts(self, view: View) -> tuple[Digest, bool]:
        """Return the digest, and whether it is the same on every path: it was read in full, or as an outermost container."""
        outer, data = self._count, view.kind in DATA_KINDS
        self._count = start = (outer or 0) if data else None
        self._add_weight(1)
        digest = self._digest_view(view)
        known = Digest(digest, 1, True)
        if data and self._count is not None and start is not None:
            known = Digest(digest, self._count - start, self._count <= self._limit)
        self._count = outer
        self._add_weight(known.weight)
        return known, known.full or outer is None

    def _digest_view(self, view: View) -> bytes:
        parts = view.parts if self._exact else self._sample_parts(view)
        if view.ordered:
            digests = [self.compute_digest(each) for _, each in parts]
        else:
            digests = sorted(self.compute_digest(each) for each in _sort_reproducibly(each for _, each in parts))
        facts = b"|".join(each if isinstance(each, bytes) else repr(each).encode() for each in view.facts)
        data = self._digest_buffer(view.buffer) if view.buffer is not None else b""
        return _hash_pieces([view.kind.encode(), facts, data, *digests])

    def _sample_parts(self, view: View) -> Iterable[tuple[str, object]]:
        """Return all parts of a small object; the first few of large data, or after many values were read."""
        if view.kind not in DATA_KINDS or self._count is None:
            return view.parts
        if view.kind in ("set", "frozenset") and view.facts[0] > FULL_ITEMS:  # type: ignore[operator]  # its length
            return ()  # their order depends on the process
        if self._count > 2 * self._limit:
            return ()
        return islice(view.parts, 8 if self._count > self._limit else FULL_ITEMS)

    def _digest_buffer(self, data: memoryview) -> bytes:
        return buffer_digest(data, exact=self._exact)


@lru_cache(maxsize=4096)
def code_digest(code: CodeType) -> bytes:
    """Return the digest of a code object, which is immutable."""
    return _Walk(True, None, SharedDigests())._digest_view(view_object(code))


def _sort_reproducibly(values: Iterable[object]) -> list[object]:
    """Sort values independently of hash randomization, so that objects are reached in the same order in every process."""
    return sorted(values, key=lambda each: _reproducible_key(each[0] if isinstance(each, KeyValue) else each))


def _reproducible_key(value: object) -> tuple[str, str]:
    text = repr(value) if type(value) in ATOMS else str(getattr(value, "__qualname__", ""))
    return type(value).__qualname__, text


def _hash_pieces(pieces: Iterable[bytes]) -> bytes:
    hasher = hashlib.sha256()
    for piece in pieces:
        hasher.update(len(piece).to_bytes(8, "big"))
        hasher.update(piece)
    return hasher.digest()


FULL_BYTES = 1 << 16
SHORT_BYTES = 64
PLAIN_ITEMS = 1000
LONG_TEXT = 4096


def atom_digest(value: object, digest: Callable[[memoryview], bytes]) -> bytes:
    """Return the type and value as bytes. `digest` shortens a long value."""
    data = _atom_text(value).encode("utf-8", "surrogatepass")
    return type(value).__name__.encode() + b":" + (data if len(data) <= SHORT_BYTES else digest(memoryview(data)))


def plain_sequence_digest(values: list[object] | tuple[object, ...]) -> bytes | None:
    """Return the digest of a short sequence of plain values, from its `repr`; None for any other."""
    if len(values) > PLAIN_ITEMS or not all(map(ATOMS.__contains__, map(type, values))):
        return None
    if any(isinstance(each, str) and len(each) > LONG_TEXT for each in values):
        return None
    try:
        data = repr(values).encode("utf-8", "surrogatepass")
    except ValueError:  # an integer with more digits than Python prints
        return None
    return data if len(data) <= SHORT_BYTES else hashlib.sha256(data).digest()


def buffer_digest(data: memoryview, *, exact: bool) -> bytes:
    """Return the digest of raw bytes; for large data, unless exact, of its length, both ends and 64 samples in between."""
    if exact or len(data) <= FULL_BYTES:
        return hashlib.sha256(data).digest()
    hasher = hashlib.sha256(b"%d" % len(data))
    hasher.update(data[:4096])
    for start in range(0, len(data), len(data) // 64):
        hasher.update(data[start : start + 512])
    hasher.update(data[-4096:])
    return hasher.digest()


def _atom_text(value: object) -> str:
    if isinstance(value, str):
        return value
    return hex(value) if isinstance(value, int) and not isinstance(value, bool) else repr(value)
