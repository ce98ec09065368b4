"""JSON with one meaning."""

from __future__ import annotations

import pytest

from satflow_ext.versions import strict_json


def test_an_object_is_read_up_to_the_limit():
    document = '{"a": [1, 2.5, null, true, "é"], "b": {"a": {}}}'.encode()
    assert strict_json.loads(document, limit=len(document)) == {"a": [1, 2.5, None, True, "é"], "b": {"a": {}}}
    with pytest.raises(ValueError, match=f"^more than {len(document) - 1} bytes$"):
        strict_json.loads(document, limit=len(document) - 1)


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (b'{"a": 1, "a": 1}', "^duplicate key$"),
        (b'{"a": {"b": 1, "\\u0062": 2}}', "^duplicate key$"),
        (b'{"a": NaN}', "^NaN is not a valid number$"),
        (b'{"a": -Infinity}', "^-Infinity is not a valid number$"),
        (b"[1]", "^not an object$"),
        (b'"a"', "^not an object$"),
        (b"", "Expecting value"),
        (b"{} {}", "Extra data"),
        (b"\xef\xbb\xbf{}", "BOM"),
        (b"\xff{}", "decode"),
        (b"[" * 100_000, "^too deep$"),
        (b'{"a":' * 100_000, "^too deep$"),
    ],
)
def test_whatever_could_be_read_in_two_ways_is_refused(document, why):
    with pytest.raises(ValueError, match=why):
        strict_json.loads(document, limit=1_000_000)
