"""A text in each form that the search is said to find, as the programs make it that usually do."""

from __future__ import annotations

import base64
import codecs
import html
import json
import quopri
from urllib.parse import quote


def hidden(text: str) -> dict[str, list[bytes]]:
    """Form → what it may look like: in either case, padded in each way, and at each offset where that counts."""
    around = [f"{'ab' * before}{text}cd".encode() for before in range(3)] + [f"a{text}".encode(), f"abc{text}".encode()]
    return {
        "as it is, in any case": [text.encode(), text.upper().encode()],
        "UTF-16": [text.encode("utf-16"), text.encode("utf-16-be")],
        "hexadecimal": [each.hex().encode() for each in around] + [text.encode().hex().upper().encode()],
        "base64": [f(each) for each in around for f in (base64.b64encode, base64.urlsafe_b64encode)],
        "base32": [base64.b32encode(each) for each in around],
        "percent-encoded": ["".join(f"%{byte:02X}" for byte in text.encode()).encode(), quote(text).encode()],
        "escaped as in JSON or Python": ["".join(f"\\u{ord(c):04x}" for c in text).encode(), json.dumps(text).encode()],
        "HTML entities": ["".join(f"&#{ord(c)};" for c in text).encode(), html.escape(text).encode()],
        "quoted-printable": ["".join(f"={ord(c):02X}" for c in text).encode(), quopri.encodestring(text.encode())],
        "reversed": [text[::-1].encode()],
        "ROT13": [codecs.encode(text, "rot13").encode()],
        "a list of character codes": [repr(list(text.encode())).encode()],
    }
