"""A public key, and the one line of text in which people hand it to each other: `ed25519:BASE64 name`."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from satflow_ext.errors import KeysRefused

KIND = "ed25519:"
RAW_SIZE = 32
"""Bytes of an Ed25519 public key (RFC 8032, section 5.1.5)."""
NAME_LIMIT = 100
ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class PublicKey:
    """Somebody's public key. `raw` is all that counts, `name` is for people."""

    raw: bytes
    name: str = ""

    @property
    def id(self) -> str:
        """Sixteen hexadecimal digits to call it by. Nothing is decided by them: keys are compared whole."""
        return key_id(self.raw)

    @property
    def text(self) -> str:
        """The line that `parse` reads."""
        return f"{KIND}{base64.b64encode(self.raw).decode()} {self.name}".rstrip()


def key_id(raw: bytes) -> str:
    """What a public key is called in messages and files."""
    return hashlib.sha256(raw).hexdigest()[:16]


def parse(line: str) -> PublicKey:
    """The key of one line.

    Raises:
        KeysRefused: it is none.
    """
    word, _, name = line.strip().partition(" ")
    try:
        raw = base64.b64decode(word.removeprefix(KIND), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    name = name.strip()
    if not word.startswith(KIND) or len(raw) != RAW_SIZE or len(name) > NAME_LIMIT or not name.isprintable():
        raise KeysRefused(
            f"{_shown(line)} is no public key.", fix="It is one line, as `satflow keys export` prints it."
        )
    return PublicKey(raw, name)


def parse_all(text: str) -> tuple[PublicKey, ...]:
    """The keys of a text, one a line. Empty lines and lines that begin with # are for people.

    Raises:
        KeysRefused: a line is no key, or there is none at all.
    """
    lines = [line.strip() for line in text.splitlines()]
    keys = tuple(parse(line) for line in lines if line and not line.startswith("#"))
    if not keys:
        raise KeysRefused("There is no public key in it.", fix="`satflow keys export` prints one.")
    return keys


def _shown(line: str) -> str:
    return repr(line if len(line) <= 80 else f"{line[:77]}…")
