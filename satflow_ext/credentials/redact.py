"""Redaction of secret values in texts, in the encodings in which they commonly appear."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote, quote_plus

MIN_LENGTH = 4
"""Minimum characters of a redacted value. A shorter value also appears in many unrelated texts."""

MIN_LINE_LENGTH = 16
"""Minimum characters of a line that is redacted without the value's other lines: keys often have several lines."""


class Redactor:
    """A callable that replaces each secret value by `[secret NAME]`.

    Args:
        secrets: name → value.
    """

    def __init__(self, secrets: Mapping[str, str]) -> None:
        forms = {form: name for name, value in secrets.items() for form in _encoded_forms(value)}
        # The longest first: a value may begin with another one.
        self._names = {form: forms[form] for form in sorted(forms, key=len, reverse=True)}
        self._pattern = re.compile("|".join(map(re.escape, self._names)) or r"(?!)")

    def __call__(self, text: str) -> str:
        """Return the text with all values replaced."""
        return self._pattern.sub(lambda found: f"[secret {self._names[found[0]]}]", text)


def _encoded_forms(value: str) -> Iterator[str]:
    if len(value) < MIN_LENGTH:
        return
    yield value
    yield from (line for line in value.splitlines() if len(line) >= MIN_LINE_LENGTH)
    yield from (quote(value, safe=""), quote(value), quote_plus(value))
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield repr(value)[1:-1]
    data = value.encode("utf-8", "surrogateescape")
    yield data.hex()
    for encoded in _base64_within(data):
        yield encoded
        yield encoded.replace("+", "-").replace("/", "_")


def _base64_within(data: bytes) -> Iterator[str]:
    """Yield the base64 encodings of the data inside a larger text, such as `user:password`.

    The ends, which depend on the adjacent bytes, are left out.
    """
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + data).decode().rstrip("=")
        cut = (before + len(data)) % 3
        inner = encoded[(0, 2, 3)[before] : len(encoded) - (1 if cut else 0)]
        if len(inner) >= 2 * MIN_LENGTH:
            yield inner
