"""Where a canary stands in bytes, in whichever of the forms that programs give to a text on its way into a record.

A canary is letters and digits, so that names, paths and hosts can hold it, and all of a session's begin with one stem: bytes are
searched for the stem's forms first, which is quick, and only where one is found for each canary.
"""

from __future__ import annotations

import base64
import binascii
import bz2
import codecs
import lzma
import re
import zlib
from collections.abc import Callable, Iterable, Iterator

DEEP = 3
"""Layers of compression and base64 that are opened."""


def _in_base64(text: str, encode: Callable[[bytes], bytes], group: int) -> Iterator[bytes]:
    """The characters that belong to the text alone, wherever it begins within a group of that many bytes."""
    for before in range(group):
        whole = encode(bytes(before) + text.encode())
        bits = {3: 6, 5: 5}[group]
        first = -(-before * 8 // bits)
        last = (before + len(text)) * 8 // bits
        yield whole[first:last]


def base64_forms(text: str) -> Iterator[bytes]:
    """In base64 at each of three offsets, standard and for URLs."""
    for form in _in_base64(text, base64.b64encode, 3):
        yield form
        yield form.replace(b"+", b"-").replace(b"/", b"_")


def _numbers(text: str) -> Iterator[bytes]:
    codes = [str(ord(each)) for each in text]
    yield ", ".join(codes).encode()
    yield ",".join(codes).encode()


ENCODINGS: dict[str, Callable[[str], Iterable[bytes]]] = {
    "as it is, in any case": lambda text: [text.encode()],
    "UTF-16": lambda text: [text.encode("utf-16-le")[:-1]],  # what both byte orders have
    "hexadecimal": lambda text: [text.encode().hex().encode()],
    "base64": base64_forms,
    "base32": lambda text: _in_base64(text, base64.b32encode, 5),
    "percent-encoded": lambda text: ["".join(f"%{ord(each):02x}" for each in text).encode()],
    "escaped as in JSON or Python": lambda text: [
        "".join(f"\\u{ord(each):04x}" for each in text).encode(),
        "".join(f"\\x{ord(each):02x}" for each in text).encode(),
    ],
    "HTML entities": lambda text: [
        "".join(f"&#{ord(each)};" for each in text).encode(),
        "".join(f"&#x{ord(each):x};" for each in text).encode(),
    ],
    "quoted-printable": lambda text: ["".join(f"={ord(each):02x}" for each in text).encode()],
    "reversed": lambda text: [text[::-1].encode()],
    "ROT13": lambda text: [codecs.encode(text, "rot13").encode()],
    "a list of character codes": _numbers,
}
"""Form → what it makes of a text, in lower case where case does not count. A thirteenth, compression, is opened (`layers`)."""

SENSITIVE = frozenset({"base64", "base32"})
"""Forms in which case counts."""

PACKED = re.compile(rb"(?:H4sI|eJ|eN|eA|eF|Qlpo|/Td6|_Td6)[A-Za-z0-9+/_\-]{16,}={0,2}")
"""How gzip, zlib, bz2 and xz begin in base64."""

GZIP = re.compile(rb"(?<!^)\x1f\x8b\x08")
PACKED_HEX = re.compile(rb"(?:1f8b08|789c|78da|7801|425a68|fd377a58)(?:[0-9a-f]{2}){8,}")
OPENERS: tuple[Callable[[bytes], bytes], ...] = (
    lambda data: zlib.decompressobj(47).decompress(data),
    lambda data: bz2.BZ2Decompressor().decompress(data),
    lambda data: lzma.LZMADecompressor().decompress(data),
)


class Finder:
    """Finds canaries in bytes.

    Args:
        stem: what all of them begin with.
        canaries: the whole texts.
    """

    def __init__(self, stem: str, canaries: Iterable[str]) -> None:
        self._stem = _forms(stem)
        self._canaries = {text: _forms(text) for text in canaries}

    def find(self, data: bytes) -> set[tuple[str, str]]:
        """Canaries and the forms in which they stand there."""
        found = set()
        for layer, how in layers(data):
            lower = layer.lower()
            for form in _which(self._stem, layer, lower):
                where = layer if form in SENSITIVE else lower
                hits = [text for text, forms in self._canaries.items() if any(each in where for each in forms[form])]
                found |= {(text, f"{how}{form}") for text in hits}
        return found

    def somewhere(self, data: bytes) -> bool:
        """Whether the stem stands there in any form."""
        return any(_which(self._stem, layer, layer.lower()) for layer, _ in layers(data))


def _forms(text: str) -> dict[str, tuple[bytes, ...]]:
    spelled = {name: set(encode(text if name in SENSITIVE else text.lower())) for name, encode in ENCODINGS.items()}
    return {name: tuple(forms) for name, forms in spelled.items()}


def _which(forms: dict[str, tuple[bytes, ...]], layer: bytes, lower: bytes) -> list[str]:
    return [
        name
        for name, spelled in forms.items()
        if any(each in (layer if name in SENSITIVE else lower) for each in spelled)
    ]


def layers(data: bytes, depth: int = DEEP) -> Iterator[tuple[bytes, str]]:
    """The bytes, and what is compressed in them, as it is or in base64 or hexadecimal."""
    yield data, ""
    if depth:
        for inner in _opened(data):
            for layer, how in layers(inner, depth - 1):
                yield layer, f"compressed, {how}"


def _opened(data: bytes) -> Iterator[bytes]:
    candidates = [data] if data[:1] in (b"\x1f", b"\x78", b"B", b"\xfd") else []
    candidates += [data[found.start() :] for found in GZIP.finditer(data)]
    candidates += [_from_base64(each) for each in PACKED.findall(data)]
    candidates += [binascii.unhexlify(each) for each in PACKED_HEX.findall(data.lower())]
    for each in candidates:
        for opener in OPENERS:
            try:
                opened = opener(each)
            except (zlib.error, OSError, lzma.LZMAError, EOFError):
                continue
            if opened:
                yield opened


def _from_base64(text: bytes) -> bytes:
    text = text.rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
    return base64.b64decode(text[: len(text) // 4 * 4])
