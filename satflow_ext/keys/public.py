"""A public key, and its representation as one line of text for exchange: `ed25519:BASE64 name`."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from satflow_ext.errors import KeysRefused

KEY_PREFIX = "ed25519:"
RAW_SIZE = 32
"""Bytes of an Ed25519 public key (RFC 8032, section 5.1.5)."""
NAME_LIMIT = 100
ID_PATTERN = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class PublicKey:
    """A public key. Only `raw` is compared; `name` is a label for users."""

    raw: bytes
    name: str = ""

    @property
    def id(self) -> str:
        """A short id of sixteen hexadecimal digits for display. Decisions compare whole keys."""
        return key_id(self.raw)

    @property
    def text(self) -> str:
        """The line of text that `parse` reads."""
        return f"{KEY_PREFIX}{base64.b64encode(self.raw).decode()} {self.name}".rstrip()


def key_id(raw: bytes) -> str:
    """Return the id of a public key in messages and file names."""
    return hashlib.sha256(raw).hexdigest()[:16]


def parse_key(line: str) -> PublicKey:
    """Parse one line as a public key.

    Raises:
        KeysRefused: it is not a public key.
    """
    word, _, name = line.strip().partition(" ")
    try:
        raw = base64.b64decode(word.removeprefix(KEY_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    name = name.strip()
    if not word.startswith(KEY_PREFIX) or len(raw) != RAW_SIZE or len(name) > NAME_LIMIT or not name.isprintable():
        raise KeysRefused(
            f"{_shorten_line(line)} is not a public key.", fix="It is one line, as `satflow keys export` prints it."
        )
    return PublicKey(raw, name)


def parse_keys(text: str) -> tuple[PublicKey, ...]:
    """Parse public keys, one per line. Empty lines and lines that begin with # are ignored.

    Raises:
        KeysRefused: a line is not a key, or there are no keys.
    """
    lines = [line.strip() for line in text.splitlines()]
    keys = tuple(parse_key(line) for line in lines if line and not line.startswith("#"))
    if not keys:
        raise KeysRefused("The text contains no public key.", fix="`satflow keys export` prints one.")
    return keys


def _shorten_line(line: str) -> str:
    return repr(line if len(line) <= 80 else f"{line[:77]}…")
