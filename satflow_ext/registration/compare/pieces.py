"""Source text in pieces: each function and class, and the statements between them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Literal, NamedTuple

from satflow_ext.models import Source

Kind = Literal["function", "class", "statements"]
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class SourceText(NamedTuple):
    """A cell or a file. `place` is empty for a cell: all cells share one namespace, and each file has a separate one."""

    place: str
    text: str


class SourcePiece(NamedTuple):
    """A named part of the source."""

    name: str
    kind: Kind
    text: str


def source_texts(source: Source) -> Iterator[SourceText]:
    """Yield cells in the order in which they ran, then files in the order of their paths."""
    yield from (SourceText("", cell.text) for cell in source.cells)
    yield from (SourceText(file.path, file.text) for file in source.files)


def split_source(source: Source) -> dict[str, SourcePiece]:
    """Map names to pieces. The later of two definitions with the same name counts, as it did in the notebook."""
    found: dict[str, SourcePiece] = {}
    for place, text in source_texts(source):
        prefix = f"{place}:" if place else ""
        rest = []
        for piece in _split_text(text):
            if piece.kind == "statements":
                rest.append(piece.text)
            else:
                found[prefix + piece.name] = piece._replace(name=prefix + piece.name)
        _add_statements(found, place or "cells", "\n".join(rest))
    return found


def parse_python(text: str) -> ast.Module | None:
    """Return the text's syntax tree, or None if this Python cannot parse it."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None


def _split_text(text: str) -> Iterator[SourcePiece]:
    """Yield definitions at the top level and blocks of other statements. A comment belongs to the definition after it."""
    tree = parse_python(text)
    if tree is None:
        yield SourcePiece("", "statements", text)
        return
    lines, done = text.splitlines(), 0
    for node in tree.body:
        assert node.end_lineno is not None  # ast.parse sets it
        if isinstance(node, Definition):
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)]) - 1
            first = max(_include_comments(lines, first), done)
            yield from _statement_piece(lines[done:first])
            kind: Kind = "class" if isinstance(node, ast.ClassDef) else "function"
            yield SourcePiece(node.name, kind, "\n".join(lines[first : node.end_lineno]))
            done = node.end_lineno
    yield from _statement_piece(lines[done:])


def _include_comments(lines: list[str], first: int) -> int:
    while first > 0 and lines[first - 1].startswith("#"):
        first -= 1
    return first


def _statement_piece(lines: list[str]) -> Iterator[SourcePiece]:
    text = "\n".join(lines).strip("\n")
    if text.strip():
        yield SourcePiece("", "statements", text)


def _add_statements(found: dict[str, SourcePiece], name: str, text: str) -> None:
    if text:
        known = found.get(name)
        found[name] = SourcePiece(name, "statements", f"{known.text}\n{text}" if known else text)
