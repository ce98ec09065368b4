"""Lines of notebook cells for the tracebacks of a process, since cells have no files.

They are sent to other processes of a run only at the redaction level "everything": a Dask worker of another cluster has no
redaction, and lines of code that it cannot read are lines that it cannot send to the Prefect API.
"""

from __future__ import annotations

import linecache
from collections.abc import Iterable
from typing import TypeAlias

CellLines: TypeAlias = tuple[tuple[str, str], ...]
"""The file name in the code of each cell, and the cell's text."""

MAX_CELLS = 2_000
"""Maximum number of cells in a process: a Dask worker may run many versions of flows. The oldest ones are removed."""

_registered: dict[str, str] = {}


def register_cell_lines(cells: Iterable[tuple[str, str]]) -> None:
    """Show the lines of cells in tracebacks of this process. `linecache` keeps entries without a modification time.

    Args:
        cells: the file name in the code of each cell, and the cell's text.
    """
    for file, text in cells:
        linecache.cache[file] = (len(text), None, [f"{line}\n" for line in text.split("\n")], file)
        _registered[file] = text
    for file in list(_registered)[:-MAX_CELLS]:
        linecache.cache.pop(file, None)
        del _registered[file]


def registered_cells() -> CellLines:
    """Return the cells whose lines this process has."""
    return tuple(_registered.items())
