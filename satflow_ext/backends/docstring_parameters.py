"""What a class's documentation says of its keyword arguments: numpydoc's section "Parameters", as Dask's classes have it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

SECTION = re.compile(r"^( *)(?:Other )?Parameters\n\1-{3,}\n", re.MULTILINE)
NEXT = re.compile(r"\n[^\n]+\n *-{3,}\n")
ITEM = re.compile(r"^(\*{0,2}\w[\w, *]*?)\s*(?::\s*(.*))?$")


class Documented(NamedTuple):
    """A keyword argument: its type as it is written, empty where it is not, and what it is for."""

    type: str
    text: str


def documented(functions: Iterable[Callable[..., Any] | type]) -> dict[str, Documented]:
    """What the docstrings say; the first that says something of a name counts."""
    found: dict[str, Documented] = {}
    for each in functions:
        found = _parameters(inspect.getdoc(each) or "") | found
    return found


def summary(function: Callable[..., Any] | type) -> str:
    """The first paragraph of a docstring, in one line."""
    return " ".join((inspect.getdoc(function) or "").partition("\n\n")[0].split())


def _parameters(doc: str) -> dict[str, Documented]:
    found: dict[str, Documented] = {}
    for start in SECTION.finditer(doc):
        rest = doc[start.end() :]
        end = NEXT.search(rest)
        found |= _items(rest[: end.start()] if end else rest, start[1])
    return found


def _items(section: str, margin: str) -> dict[str, Documented]:
    """A name stands at the margin, what is said of it below, indented."""
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
