"""Tracebacks are parsed as Python and the redaction format them, whatever the exceptions contain."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from satflow_ext.redaction.guard import format_traceback
from satflow_ext.runs.failure import RaisedException, find_main_exception, parse_traceback

TYPES = (ValueError, KeyError, OSError, RuntimeError, type("Ünüsual_1", (Exception,), {}))
TEXT = st.text(st.characters(blacklist_categories=("Cs",)), max_size=40)
AWKWARD = st.sampled_from(
    [
        "",
        "\n",
        "a\nb",
        "a: b",
        ": ",
        "| a | b |",
        "  | a |",
        '  File "x", line 1, in f',
        "    code",
        "~~^^",
        "a\r\nb\x85c\u2028d",
    ]
)
MESSAGES = TEXT | AWKWARD


def _raise(error: BaseException) -> BaseException:
    try:
        raise error  # noqa: TRY301 - the shortest traceback
    except BaseException as raised:
        return raised


def _raise_deeper(error: BaseException) -> BaseException:
    def inner() -> None:
        raise error

    try:
        inner()
    except BaseException as raised:
        return raised
    raise AssertionError


@st.composite
def chains(draw: Callable[..., object]) -> BaseException:
    """An exception with its causes and contexts."""
    error: BaseException | None = None
    for _ in range(draw(st.integers(1, 4))):
        made = draw(st.sampled_from(TYPES))(draw(MESSAGES))
        if error is not None and draw(st.booleans()):
            made.__cause__ = error
        else:
            made.__context__ = error
        error = draw(st.sampled_from([_raise, _raise_deeper]))(made)
    return error


def _list_chain(error: BaseException) -> list[BaseException]:
    before = error.__cause__ or error.__context__
    return [*(_list_chain(before) if before else []), error]


def _frames(error: BaseException) -> list[tuple[str, int, str]]:
    return [
        (frame.f_code.co_filename, line, frame.f_code.co_name) for frame, line in traceback.walk_tb(error.__traceback__)
    ]


def _summary(parsed: tuple[RaisedException, ...]) -> list[tuple[str, str]]:
    return [(each.type.rpartition(".")[2], each.message.rstrip("\n")) for each in parsed]


@settings(max_examples=50, deadline=None)
@given(chains())
def test_a_chain_is_parsed_as_python_formats_it(error):
    parsed = parse_traceback("".join(traceback.format_exception(error)))
    chain = _list_chain(error)
    assert _summary(parsed) == [(type(each).__name__, str(each).rstrip("\n")) for each in chain]
    assert [[(f.file, f.line, f.function) for f in each.frames] for each in parsed] == list(map(_frames, chain))
    assert all(frame.code for each in parsed for frame in each.frames)
    assert [each.relation for each in parsed] == [
        *("cause" if each.__cause__ else "context" for each in chain[1:]),
        None,
    ]


@settings(max_examples=50, deadline=None)
@given(chains(), st.booleans())
def test_a_chain_is_parsed_as_redaction_formats_it(error, with_messages):
    parsed = parse_traceback(format_traceback(error, with_messages=with_messages))
    chain = _list_chain(error)
    expected = [(type(each).__name__, str(each).rstrip("\n") if with_messages else "") for each in chain]
    assert _summary(parsed) == expected
    assert all(frame.code is None for each in parsed for frame in each.frames)


@settings(max_examples=30, deadline=None)
@given(st.text() | st.lists(AWKWARD | TEXT).map("\n".join))
def test_no_text_is_refused(text):
    for start in (
        "",
        "Traceback (most recent call last):\n",
        "  + Exception Group Traceback (most recent call last):\n",
    ):
        parse_traceback(start + text)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exception groups")
@pytest.mark.parametrize("redacted", [False, True])
def test_the_members_of_groups(redacted):
    inner = _raise(ExceptionGroup("inner", [_raise(OSError("a\n| b |"))]))  # noqa: F821 - of Python 3.11
    cause = _raise(KeyError("k"))
    member = ValueError("v")
    member.__cause__ = cause
    error = _raise(ExceptionGroup("outer", [_raise(member), inner]))  # noqa: F821
    text = format_traceback(error, with_messages=True) if redacted else "".join(traceback.format_exception(error))
    parsed = parse_traceback(f"Encountered exception during execution: …\n{text}")
    assert [(each.type, each.relation) for each in parsed] == [
        ("ExceptionGroup", None),
        ("KeyError", "cause"),
        ("ValueError", "member"),
        ("ExceptionGroup", "member"),
        ("OSError", "member"),
    ]
    assert all(each.frames for each in parsed)
    assert find_main_exception(parsed).message.startswith("outer (2 sub-exceptions)")


def test_notes_belong_to_the_message():
    error = ValueError("first")
    if hasattr(error, "add_note"):
        error.add_note("Traceback of nothing\n  second")
        (parsed,) = parse_traceback("".join(traceback.format_exception(_raise(error))))
        assert parsed.message == "first\nTraceback of nothing\n  second"


def test_a_syntax_error_has_the_line_that_is_wrong():
    try:
        compile("x = 1\nfor in y", "cell.py", "exec")
    except SyntaxError as error:
        (parsed,) = parse_traceback("".join(traceback.format_exception(error)))
    assert (parsed.type, parsed.frames[-1].file, parsed.frames[-1].line) == ("SyntaxError", "cell.py", 2)
    assert parsed.frames[-1].code == "for in y"


def test_a_recursion_is_parsed_without_its_repetitions():
    def down(n: int) -> int:
        return down(n - 1)

    try:
        down(0)
    except RecursionError as error:
        (parsed,) = parse_traceback("".join(traceback.format_exception(error)))
    assert parsed.type == "RecursionError"
    assert {frame.function for frame in parsed.frames[1:]} == {"down"}


def _fail(number: int) -> float:
    return number / 0


@pytest.mark.slow
def test_the_traceback_of_another_process_is_one_of_the_causes():
    with ProcessPoolExecutor(1) as pool:
        try:
            pool.submit(_fail, 1).result()
        except ZeroDivisionError as error:
            text = "".join(traceback.format_exception(error))
    parsed = parse_traceback(text)
    assert find_main_exception(parsed).type == "ZeroDivisionError"
    assert any(frame.function == "_fail" for each in parsed for frame in each.frames)


def test_multi_line_code_as_python_3_13_formats_it():
    text = (
        "Traceback (most recent call last):\n"
        '  File "/tmp/ipykernel_1/22.py", line 3, in tiles\n'
        "    raise ValueError(\n"
        "    ...<2 lines>...\n"
        "    )\n"
        '  File "b.py", line 4, in g\n'
        "    h(1,\n"
        "    ~^^^\n"
        "      2)\n"
        "      ^^\n"
        "ValueError: no\n"
    )
    (parsed,) = parse_traceback(text)
    assert [frame.code for frame in parsed.frames] == ["raise ValueError(", "h(1,"]
