"""Source lines for tracebacks of a registered flow, whose cells have no files."""

from __future__ import annotations

import linecache
from collections.abc import Iterable

from satflow_ext.models import Cell


def register_cell_lines(cells: Iterable[Cell]) -> None:
    """Show the lines of cells in tracebacks of this process. `linecache` keeps entries without a modification time."""
    for cell in cells:
        lines = [f"{line}\n" for line in cell.text.splitlines()]
        linecache.cache[cell.file] = (len(cell.text), None, lines, cell.file)
