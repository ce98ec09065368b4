"""Exceptions in fewer words than Python's: where it happened, without the lines of code, and as far as wanted what it says."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from pathlib import PurePath

from satflow_ext.errors import SatflowError

CAUSE = "The above exception was the direct cause of the following exception:"
CONTEXT = "During handling of the above exception, another exception occurred:"


def shortened(error: BaseException, *, words: bool) -> str:
    """A traceback of files' names, line numbers and functions. No source, no folders.

    Args:
        error: with what caused it.
        words: whether what exceptions say is part of it; what SatFlow's own say always is.
    """
    return "\n".join(_lines(error, words, set()))


def chain(error: BaseException) -> Iterator[BaseException]:
    """The exception, and all that led to it or are in it, each once."""
    waiting, seen = [error], set[int]()
    while waiting:
        one = waiting.pop()
        if id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [each for each in (one.__cause__, one.__context__) if each is not None]
            waiting += getattr(one, "exceptions", ())


def without_words(text: str, error: BaseException, cleaned: Callable[[str], str] = str) -> str:
    """A text that repeats what an exception says, with only the exception's type.

    Args:
        text: as Prefect makes it: `Task run encountered an exception ValueError: no such customer`.
        error: with what caused it.
        cleaned: what has been done to the text already.
    """
    for one in chain(error):
        if not isinstance(one, SatflowError) and (said := _said(one)):
            for spelled, told in ((_words(one, repr), f"{type(one).__name__}()"), (f": {said}", "")):
                for given in filter(None, (spelled, cleaned(spelled))):
                    text = text.replace(given, told)
    return text


def _lines(error: BaseException, words: bool, seen: set[int]) -> Iterator[str]:
    seen.add(id(error))
    before, link = (error.__cause__, CAUSE) if error.__cause__ else (error.__context__, CONTEXT)
    if before is not None and id(before) not in seen and (error.__cause__ or not error.__suppress_context__):
        yield from (*_lines(before, words, seen), "", link, "")
    if error.__traceback__:
        yield "Traceback (most recent call last):"
    for frame, line in traceback.walk_tb(error.__traceback__):
        code = frame.f_code
        yield f'  File "{PurePath(code.co_filename).name}", line {line}, in {code.co_name}'
    said = _said(error) if words or isinstance(error, SatflowError) else ""
    yield f"{type(error).__name__}: {said}" if said else type(error).__name__
    for inner in getattr(error, "exceptions", ()):
        if id(inner) not in seen:
            yield from (f"  | {each}" for each in _lines(inner, words, seen))


def _said(error: BaseException) -> str:
    if isinstance(error, SyntaxError):  # its text is a line of code, and its words name the file
        return error.msg
    return _words(error, str)


def _words(error: BaseException, spell: Callable[[object], str]) -> str:
    try:
        return spell(error)
    except Exception:  # the exception's own words, which may raise anything
        return ""
