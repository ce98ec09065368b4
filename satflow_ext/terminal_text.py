"""Output of untrusted text to a terminal: colors stay, all other control characters become visible.

Log lines, names of runs and flows, and messages of exceptions come from other people. Escape sequences in them could write to
the clipboard, change the title, clear the screen, or move the cursor and put forged lines over real ones.
"""

from __future__ import annotations

import re
from typing import Any, TextIO

COLOR_PATTERN = r"\x1b\[[0-9;:]*m"
"""SGR sequences, which set colors and weight."""

CONTROL_PATTERN = re.compile(
    COLOR_PATTERN
    + r"|[\x00-\x08\x0b-\x1f\x7f-\x9f]"  # C0 without tab and line feed, DEL, C1
    + r"|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"  # text direction marks, which reorder the characters of a line
)
RESET = "\x1b[0m"
COLOR_RESETS = (RESET, "\x1b[m")


def show_controls(text: str) -> str:
    """Replace control characters by JSON escapes, which keeps JSON valid.

    Colors stay, and are reset at the end of the line. A carriage return before a line feed is dropped.

    Args:
        text: text that may be untrusted.
    """
    if not CONTROL_PATTERN.search(text):
        return text
    shown = CONTROL_PATTERN.sub(_escape_control, text.replace("\r\n", "\n"))
    return "\n".join(map(_end_colors, shown.split("\n"))) if "\x1b" in shown else shown


def _escape_control(match: re.Match[str]) -> str:
    found = match[0]
    return found if len(found) > 1 else f"\\u{ord(found):04x}"


def _end_colors(line: str) -> str:
    """Reset the colors at the end of a line, in which no other escape sequences are left."""
    return line + RESET if "\x1b" in line and not line.endswith(COLOR_RESETS) else line


class TerminalOutput:
    """A text stream that writes control characters as visible escapes, and otherwise delegates to its stream.

    Args:
        stream: standard output or standard error.
    """

    def __init__(self, stream: TextIO) -> None:
        self.unfiltered = stream

    def write(self, text: str) -> int:
        """Write text with visible control characters."""
        self.unfiltered.write(show_controls(text))
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.unfiltered, name)


def get_unfiltered(stream: TextIO) -> TextIO:
    """Return the underlying stream, which writes text unchanged."""
    return stream.unfiltered if isinstance(stream, TerminalOutput) else stream
