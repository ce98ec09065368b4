"""Short forms of exceptions: the location without lines of code, and optionally the message."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from pathlib import PurePath

from satflow_ext.errors import SatflowError

CAUSE = "The above exception was the direct cause of the following exception:"
CONTEXT = "During handling of the above exception, another exception occurred:"


def format_traceback(error: BaseException, *, with_messages: bool) -> str:
    """Format a traceback with file names, line numbers and functions, but without source code and folders.

    Args:
        error: the exception, with its causes.
        with_messages: whether to include the messages of exceptions. Messages of SatFlow's own exceptions are always included.
    """
    return "\n".join(_traceback_lines(error, with_messages, set()))


def exception_chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the exception, its causes and contexts, and the members of exception groups, each once."""
    waiting, seen = [error], set[int]()
    while waiting:
        one = waiting.pop()
        if id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [each for each in (one.__cause__, one.__context__) if each is not None]
            waiting += getattr(one, "exceptions", ())


def remove_messages(text: str, error: BaseException, redact: Callable[[str], str] = str) -> str:
    """Remove an exception's message from a text that repeats it, and keep the exception's type.

    Args:
        text: a text of Prefect's: `Task run encountered an exception ValueError: no such customer`.
        error: the exception, with its causes.
        redact: the redaction that was already applied to the text.
    """
    for one in exception_chain(error):
        if not isinstance(one, SatflowError) and (message := _message_of(one)):
            for spelled, replacement in ((_spell_safely(one, repr), f"{type(one).__name__}()"), (f": {message}", "")):
                for given in filter(None, (spelled, redact(spelled))):
                    text = text.replace(given, replacement)
    return text


def _traceback_lines(error: BaseException, with_messages: bool, seen: set[int]) -> Iterator[str]:
    seen.add(id(error))
    before, link = (error.__cause__, CAUSE) if error.__cause__ else (error.__context__, CONTEXT)
    if before is not None and id(before) not in seen and (error.__cause__ or not error.__suppress_context__):
        yield from (*_traceback_lines(before, with_messages, seen), "", link, "")
    if error.__traceback__:
        yield "Traceback (most recent call last):"
    for frame, line in traceback.walk_tb(error.__traceback__):
        code = frame.f_code
        yield f'  File "{PurePath(code.co_filename).name}", line {line}, in {code.co_name}'
    message = _message_of(error) if with_messages or isinstance(error, SatflowError) else ""
    yield f"{type(error).__name__}: {message}" if message else type(error).__name__
    for inner in getattr(error, "exceptions", ()):
        if id(inner) not in seen:
            yield from (f"  | {each}" for each in _traceback_lines(inner, with_messages, seen))


def _message_of(error: BaseException) -> str:
    if isinstance(error, SyntaxError):  # its text is a line of code, and its message contains the file
        return error.msg
    return _spell_safely(error, str)


def _spell_safely(error: BaseException, spell: Callable[[object], str]) -> str:
    try:
        return spell(error)
    except Exception:  # the exception's own code, which may raise any exception
        return ""
