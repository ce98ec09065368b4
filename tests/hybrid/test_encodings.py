"""The search finds a canary in each of the forms that it is said to find, and nothing where there is none."""

from __future__ import annotations

import base64
import bz2
import gzip
import json
import lzma
import zlib

import pytest

from tests.hybrid.encodings import ENCODINGS, Finder
from tests.hybrid.hiding import hidden

STEM = "qz7hybrid4k"
CANARY = f"{STEM}m07x"
FINDER = Finder(STEM, [CANARY, f"{STEM}m08x"])


def test_there_is_an_example_of_each_form():
    assert hidden(CANARY).keys() == ENCODINGS.keys()


@pytest.mark.parametrize("form", ENCODINGS)
def test_found_in_each_form(form):
    for text in hidden(CANARY)[form]:
        found = {text for text, _ in FINDER.find(b'{"message": "' + text + b'"}')}
        assert found == {CANARY}, (form, text)
        assert form in {f for _, f in FINDER.find(text)} or form.split()[0] not in ("UTF-16", "reversed", "ROT13")


@pytest.mark.parametrize(
    "pack", [gzip.compress, zlib.compress, bz2.compress, lzma.compress], ids=lambda f: f.__module__
)
@pytest.mark.parametrize(
    "wrap", [bytes, base64.b64encode, base64.urlsafe_b64encode, bytes.hex], ids=lambda f: f.__name__
)
def test_found_when_compressed(pack, wrap):
    for inner in (CANARY.encode(), base64.b64encode(CANARY.encode())):
        wrapped = wrap(pack(b"some text " + inner))
        found = FINDER.find(wrapped if isinstance(wrapped, bytes) else wrapped.encode())
        assert {text for text, _ in found} == {CANARY}


def test_nothing_is_found_where_there_is_nothing():
    assert not FINDER.find(json.dumps({"message": "hello", "id": "0f" * 64, "data": "eJxsomething" * 9}).encode())
    assert not FINDER.somewhere(STEM[:-1].encode())
