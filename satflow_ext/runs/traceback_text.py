"""Parser of tracebacks in log lines: as Python formats them, and as redaction does, without code and folders.

A traceback in a log is text that any code may have formatted. The parser never fails: it returns what it recognizes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

Relation = Literal["cause", "context", "member"]

HEADER = "Traceback (most recent call last)"
LINKS: dict[str, Relation] = {
    "The above exception was the direct cause of the following exception:": "cause",
    "During handling of the above exception, another exception occurred:": "context",
}
FRAME = re.compile(r'  File "(?P<file>.*)", line (?P<line>\d+)(?:, in (?P<function>.*))?')
MARGIN = re.compile(r"^ {2,}\| ?")
"""The margin of an exception group's lines, which Python indents further for each level."""
REPEATED_MARGIN = re.compile(r"^(?: {2}\| )+")
"""The margin in a redacted traceback, which repeats it for each level."""
GROUP_HEADER = re.compile(r" {2,}\+ Exception Group " + re.escape(HEADER) + ":")
GROUP_RULE = re.compile(r" *\+(?:-\+)?-+(?: (?:\d+|\.\.\.) -+)?")
"""A line between the members of a group, or after the last one."""
EXCEPTION = re.compile(r"(?P<type>[^\W\d][\w.<>]*)(?:: ?(?P<message>.*))?", re.DOTALL)
CODE_INDENT = "    "


@dataclass(frozen=True)
class TracebackFrame:
    """One frame. `code` is the line of code, None if the traceback has none."""

    file: str
    line: int
    function: str
    code: str | None = None


@dataclass(frozen=True)
class RaisedException:
    """One exception of a traceback.

    Args:
        type: the name of its class, as the traceback spells it.
        message: its message, with its notes.
        frames: the innermost frame is the last.
        relation: "cause" or "context" if it led to the exception after it, "member" if an exception group contains it, None for
            the exception that the traceback is about.
    """

    type: str
    message: str
    frames: tuple[TracebackFrame, ...]
    relation: Relation | None = None


@dataclass
class _Block:
    """The lines of one exception that were read so far."""

    is_member: bool = False
    frames: list[TracebackFrame] = field(default_factory=list)
    text: list[str] | None = None

    def read_line(self, line: str) -> None:
        if self.text is not None:
            self.text.append(line)
        elif frame := FRAME.fullmatch(line):
            self.frames.append(TracebackFrame(frame["file"], int(frame["line"]), frame["function"] or ""))
        elif line.startswith(CODE_INDENT):
            self._read_code(line.strip())
        elif line and not line.startswith(" "):
            self.text = [line]

    def _read_code(self, code: str) -> None:
        if self.frames and self.frames[-1].code is None and code.strip("~^ "):
            self.frames[-1] = replace(self.frames[-1], code=code)

    def to_exception(self, link: Relation | None) -> RaisedException:
        text = "\n".join(self.text or ()).rstrip("\n")
        found = EXCEPTION.fullmatch(text)
        name, message = (found["type"], found["message"] or "") if found else ("", text)
        return RaisedException(name, message, tuple(self.frames), link or ("member" if self.is_member else None))


def parse_traceback(text: str) -> tuple[RaisedException, ...]:
    """Parse a traceback with its causes, contexts and the members of exception groups, in the order of the text.

    Args:
        text: the traceback; other text may precede its first header.
    """
    return tuple(each for each in _parse_blocks(text) if each.type or each.message or each.frames)


def find_main_exception(exceptions: tuple[RaisedException, ...]) -> RaisedException | None:
    """Return the exception that a parsed traceback is about; None if there is none."""
    return next((each for each in reversed(exceptions) if each.relation is None), None)


def _parse_blocks(text: str) -> Iterator[RaisedException]:
    """Yield the exceptions. A traceback inside a message, such as that of another process, is an exception of its own."""
    block: _Block | None = None
    margins = _Margins()
    for raw in text.split("\n"):
        line, in_margin = margins.strip(raw)
        is_rule = margins.in_group and GROUP_RULE.fullmatch(line) is not None
        is_header = line.startswith((HEADER, f"Exception Group {HEADER}"))
        link = LINKS.get(line)
        if block is not None and (is_header or link or is_rule):
            yield block.to_exception(link)
            block = None
        if is_header or link or is_rule:
            block = _Block(in_margin or is_rule)
        elif block is not None:
            block.read_line(line)
    if block is not None:
        yield block.to_exception(None)


class _Margins:
    """Removes the margins of exception groups. Outside of a group a message may contain a table, whose lines have none."""

    def __init__(self) -> None:
        self._is_python = False
        self._is_redacted = False

    @property
    def in_group(self) -> bool:
        """True after the header of a group."""
        return self._is_python or self._is_redacted

    def strip(self, line: str) -> tuple[str, bool]:
        """Return the line without its margin, and whether it had one."""
        if GROUP_HEADER.fullmatch(line):
            self._is_python = True
            return line.strip(" +"), False
        if self._is_python:
            stripped = MARGIN.sub("", line, count=1)
        else:
            stripped = REPEATED_MARGIN.sub("", line)
            self._is_redacted = self._is_redacted or (stripped != line and stripped.startswith(HEADER))
        return (stripped, stripped != line) if self.in_group else (line, False)
