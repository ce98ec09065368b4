"""Documentation of a class's keyword arguments, parsed from the numpydoc section "Parameters" that Dask's classes use."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

SECTION = re.compile(r"^( *)(?:Other )?Parameters\n\1-{3,}\n", re.MULTILINE)
NEXT = re.compile(r"\n[^\n]+\n *-{3,}\n")
ITEM = re.compile(r"^(\*{0,2}\w[\w, *]*?)\s*(?::\s*(.*))?$")


class Documented(NamedTuple):
    """The documentation of a keyword argument: its type as written, or empty, and its description."""

    type: str
    text: str


def documented(functions: Iterable[Callable[..., Any] | type]) -> dict[str, Documented]:
    """Parse the docstrings; if several document the same name, the first one wins."""
    found: dict[str, Documented] = {}
    for each in functions:
        found = _parameters(inspect.getdoc(each) or "") | found
    return found


def summary(function: Callable[..., Any] | type) -> str:
    """Return the first paragraph of a docstring as one line."""
    return " ".join((inspect.getdoc(function) or "").partition("\n\n")[0].split())


def _parameters(doc: str) -> dict[str, Documented]:
    found: dict[str, Documented] = {}
    for start in SECTION.finditer(doc):
        rest = doc[start.end() :]
        end = NEXT.search(rest)
        found |= _items(rest[: end.start()] if end else rest, start[1])
    return found


def _items(section: str, margin: str) -> dict[str, Documented]:
    """Parse a section in which names start at the margin and their descriptions follow, indented."""
    found: dict[str, Documented] = {}
    names: list[str] = []
    for line in (each.removeprefix(margin) for each in section.splitlines()):
        item = ITEM.match(line) if line[:1].strip() else None
        if item:
            names = [name.strip(" *") for name in item[1].split(",")]
            found |= {name: Documented((item[2] or "").strip(), "") for name in names}
        elif line.startswith(" "):
            found |= {
                name: Documented(found[name].type, f"{found[name].text} {line.strip()}".strip()) for name in names
            }
    return found
