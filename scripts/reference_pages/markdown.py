"""Markdown from docstrings and values."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from typing import NamedTuple

SECTION = re.compile(r"^(Args|Returns|Raises|Yields):\n", re.MULTILINE)


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Render a table; a vertical bar or a line break in a cell is escaped."""
    lines = [list(heads)]
    lines += [["---"] * len(lines[0]), *(map(_cell, row) for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def code(text: object) -> str:
    """Render as inline code; nothing stays nothing."""
    return f"`{text}`" if str(text) else ""


def default(value: object) -> str:
    """Render a default value as Python code; None, which means that there is none, stays empty."""
    return "" if value is None else code(repr(value))


def capitalized(text: str) -> str:
    """Return a phrase as a sentence."""
    return f"{text[0].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def prose(text: str) -> str:
    """Render the text of a docstring: paragraphs on one line each, and links where it names pages of the documentation."""
    paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n", text.strip())]
    return "\n\n".join(link_pages(each) for each in paragraphs)


def link_pages(text: str) -> str:
    """Turn `docs/trust.md` into a link from a page of docs/reference."""
    return re.sub(r"`?docs/([\w-]+\.md)`?", r"[\1](../\1)", text)


class Docstring(NamedTuple):
    """A docstring in Google's style: its text, and the entries of its sections by name."""

    text: str
    arguments: dict[str, str]
    raises: dict[str, str]
    returns: str


def parse_docstring(described: object) -> Docstring:
    """Parse the docstring of a function or class."""
    text, *sections = SECTION.split(inspect.getdoc(described) or "")
    bodies = dict(zip(sections[::2], sections[1::2], strict=True))
    return Docstring(
        prose(text),
        _entries(bodies.get("Args", "")),
        _entries(bodies.get("Raises", "")),
        prose(bodies.get("Returns", "")),
    )


def _entries(section: str) -> dict[str, str]:
    entries: dict[str, str] = {}
    name = ""
    for line in inspect.cleandoc(section).splitlines():
        if match := re.match(r"(\w+): (.*)", line):
            name, entries[match[1]] = match[1], match[2]
        elif name:
            entries[name] += f" {line.strip()}"
    return {name: link_pages(text) for name, text in entries.items()}
