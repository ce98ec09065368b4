"""Documentation of a class's keyword arguments, parsed from the numpydoc section "Parameters" that Dask's classes use."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

SECTION = re.compile(r"^( *)(?:Other )?Parameters\n\1-{3,}\n", re.MULTILINE)
NEXT_SECTION = re.compile(r"\n[^\n]+\n *-{3,}\n")
ITEM = re.compile(r"^(\*{0,2}\w[\w, *]*?)\s*(?::\s*(.*))?$")


class ParameterDoc(NamedTuple):
    """The documentation of a keyword argument: its type as written, or empty, and its description."""

    type: str
    text: str


def parse_docstrings(functions: Iterable[Callable[..., Any] | type]) -> dict[str, ParameterDoc]:
    """Parse the docstrings; if several document the same name, the first one wins."""
    found: dict[str, ParameterDoc] = {}
    for each in functions:
        found = _parse_docstring(inspect.getdoc(each) or "") | found
    return found


def first_paragraph(function: Callable[..., Any] | type) -> str:
    """Return the first paragraph of a docstring as one line."""
    return " ".join((inspect.getdoc(function) or "").partition("\n\n")[0].split())


def _parse_docstring(doc: str) -> dict[str, ParameterDoc]:
    found: dict[str, ParameterDoc] = {}
    for start in SECTION.finditer(doc):
        rest = doc[start.end() :]
        end = NEXT_SECTION.search(rest)
        found |= _parse_section(rest[: end.start()] if end else rest, start[1])
    return found


def _parse_section(section: str, margin: str) -> dict[str, ParameterDoc]:
    """Parse a section in which names start at the margin and their descriptions follow, indented."""
    found: dict[str, ParameterDoc] = {}
    names: list[str] = []
    for line in (each.removeprefix(margin) for each in section.splitlines()):
        item = ITEM.match(line) if line[:1].strip() else None
        if item:
            names = [name.strip(" *") for name in item[1].split(",")]
            found |= {name: ParameterDoc((item[2] or "").strip(), "") for name in names}
        elif line.startswith(" "):
            found |= {
                name: ParameterDoc(found[name].type, f"{found[name].text} {line.strip()}".strip()) for name in names
            }
    return found
