"""A traceback for Prefect: where and what, no source, no folders; and with `types` not a word of what was said."""

from __future__ import annotations

import pytest

from satflow_ext.errors import SecretsMissing
from satflow_ext.redaction.guard import format_traceback, remove_messages


def _raised() -> Exception:
    try:
        try:
            {}["customer 17"]  # a line of somebody's source
        except KeyError as error:
            raise ValueError("no customer 17") from error
    except ValueError as error:
        return error


@pytest.mark.parametrize("words", [True, False])
def test_says_where_and_neither_source_nor_folder(words):
    text = format_traceback(_raised(), with_messages=words)
    assert text.count('  File "test_exceptions.py", line ') == 2
    assert ", in _raised" in text
    assert "direct cause" in text
    assert "somebody's source" not in text
    assert "/" not in text
    assert ("customer 17" in text) is words
    assert "KeyError" in text
    assert text.endswith("ValueError: no customer 17" if words else "ValueError")


def test_what_satflow_says_stays():
    assert "needs A_KEY" in format_traceback(
        SecretsMissing("This flow run needs A_KEY.", fix="Give it."), with_messages=False
    )


def test_groups_and_lines_of_code():
    try:
        compile("a secret line (", "/home/anna/x.py", "exec")
    except SyntaxError as error:
        text = format_traceback(error, with_messages=True)
    assert "secret line" not in text
    assert "anna" not in text


def test_an_exception_that_cannot_be_told_is_told_by_its_type():
    class Odd(Exception):
        def __str__(self):
            raise RuntimeError

    assert format_traceback(Odd(), with_messages=True) == "Odd"


def test_nor_can_one_whose_repr_raises_stop_a_run():
    class Odd(Exception):
        def __repr__(self):
            raise RuntimeError

    assert remove_messages("It was Odd: customer 17", Odd("customer 17")) == "It was Odd"


def test_words_are_taken_out_of_what_was_cleaned_before():
    def cleaned(text: str) -> str:
        return text.replace("hunter2", "[secret PASSWORD]")

    error = ValueError("customer 17 has hunter2")
    message = cleaned(f"Task run encountered an exception ValueError: {error}, {error!r}")
    assert remove_messages(message, error, cleaned) == "Task run encountered an exception ValueError, ValueError()"


def test_words_are_taken_out_of_what_repeats_them():
    error = _raised()
    message = f"Encountered exception during execution: {error!r}, that is ValueError: {error}"
    assert remove_messages(message, error) == (
        "Encountered exception during execution: ValueError(), that is ValueError"
    )
