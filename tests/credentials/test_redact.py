"""Every form in which a value ends up in a text is taken out of it, and nothing else is."""

from __future__ import annotations

import base64
import json
import random
import string
from urllib.parse import quote, quote_plus

import pytest

from satflow_ext.credentials.redacting_filter import Redactor

VALUE = 'pa/ss+wö"rd\\ 100%'

FORMS = {
    "as it is": str,
    "repr": lambda value: repr({"password": value}),
    "json": json.dumps,
    "json, not ascii": lambda value: json.dumps(value, ensure_ascii=False),
    "url": lambda value: quote(value, safe=""),
    "url path": quote,
    "form": quote_plus,
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64, for urls": lambda value: base64.urlsafe_b64encode(value.encode()).decode(),
    "basic auth": lambda value: base64.b64encode(f"user:{value}".encode()).decode(),
    "basic auth, other alignment": lambda value: base64.b64encode(f"users:{value}:x".encode()).decode(),
    "hex": lambda value: value.encode().hex(),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_each_form_is_hidden(form) -> None:
    text = f"before {form(VALUE)} after"
    clean = Redactor({"DB_PASSWORD": VALUE})(text)
    assert "[secret DB_PASSWORD]" in clean
    assert clean.startswith("before ")
    assert clean.endswith(" after")
    assert form(VALUE) not in clean


def test_any_value_in_any_form() -> None:
    dice = random.Random(7)
    alphabet = string.printable + "äß€🙂"
    for _ in range(500):
        value = "".join(dice.choices(alphabet, k=dice.randint(8, 60)))
        clean = Redactor({"X": value})
        for form in FORMS.values():
            assert form(value) not in clean(f"a {form(value)} b"), (value, form(value))


def test_a_line_of_a_key_in_several_lines() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nAQEFAASCBKcwggSjAgEA\n-----END KEY-----\n"
    assert "MIIEvQIBADANBgkqhkiG9w0" not in Redactor({"KEY": key})("line: MIIEvQIBADANBgkqhkiG9w0")


def test_the_longer_of_two_values_wins() -> None:
    clean = Redactor({"SHORT": "abcd", "LONG": "abcd1234"})
    assert clean("abcd1234 abcd") == "[secret LONG] [secret SHORT]"


def test_other_texts_are_left_alone() -> None:
    assert Redactor({"X": VALUE, "TINY": "a", "EMPTY": ""})("a b c") == "a b c"
    assert Redactor({})("anything") == "anything"
