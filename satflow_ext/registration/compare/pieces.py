"""Source text in pieces: each function and class, and the statements between them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Literal, NamedTuple

from satflow_ext.models import Source

Kind = Literal["function", "class", "statements"]
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class Text(NamedTuple):
    """A cell or a file. `place` is empty for a cell: all cells share one namespace, and each file has a separate one."""

    place: str
    text: str


class Piece(NamedTuple):
    """A named part of the source."""

    name: str
    kind: Kind
    text: str


def texts(source: Source) -> Iterator[Text]:
    """Yield cells in the order in which they ran, then files in the order of their paths."""
    yield from (Text("", cell.text) for cell in source.cells)
    yield from (Text(file.path, file.text) for file in source.files)


def pieces(source: Source) -> dict[str, Piece]:
    """Map names to pieces. The later of two definitions with the same name counts, as it did in the notebook."""
    found: dict[str, Piece] = {}
    for place, text in texts(source):
        prefix = f"{place}:" if place else ""
        rest = []
        for piece in _split(text):
            if piece.kind == "statements":
                rest.append(piece.text)
            else:
                found[prefix + piece.name] = piece._replace(name=prefix + piece.name)
        _add_statements(found, place or "cells", "\n".join(rest))
    return found


def parsed(text: str) -> ast.Module | None:
    """Return the text's syntax tree, or None if this Python cannot parse it."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None


def _split(text: str) -> Iterator[Piece]:
    """Yield definitions at the top level and blocks of other statements. A comment belongs to the definition after it."""
    tree = parsed(text)
    if tree is None:
        yield Piece("", "statements", text)
        return
    lines, done = text.splitlines(), 0
    for node in tree.body:
        assert node.end_lineno is not None  # ast.parse sets it
        if isinstance(node, Definition):
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)]) - 1
            first = max(_with_comment(lines, first), done)
            yield from _statements(lines[done:first])
            kind: Kind = "class" if isinstance(node, ast.ClassDef) else "function"
            yield Piece(node.name, kind, "\n".join(lines[first : node.end_lineno]))
            done = node.end_lineno
    yield from _statements(lines[done:])


def _with_comment(lines: list[str], first: int) -> int:
    while first > 0 and lines[first - 1].startswith("#"):
        first -= 1
    return first


def _statements(lines: list[str]) -> Iterator[Piece]:
    text = "\n".join(lines).strip("\n")
    if text.strip():
        yield Piece("", "statements", text)


def _add_statements(found: dict[str, Piece], name: str, text: str) -> None:
    if text:
        known = found.get(name)
        found[name] = Piece(name, "statements", f"{known.text}\n{text}" if known else text)
