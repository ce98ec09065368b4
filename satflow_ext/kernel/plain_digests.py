"""Digests of plain values and raw data, which are most of the data of a flow. A short value is its own digest."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from satflow_ext.kernel.object_views import ATOMS

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
