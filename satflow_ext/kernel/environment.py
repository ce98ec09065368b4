"""The notebook and the cells that a flow comes from."""

from __future__ import annotations

import linecache
import os

from satflow_ext.kernel.find import AnyFlow, Shell, cell_number
from satflow_ext.kernel.reach import codes
from satflow_ext.models import Cell, Source


def source(flow: AnyFlow, shell: Shell | None) -> Source:
    """The cells whose code the flow reaches, and the notebook where Jupyter said which."""
    return Source(notebook=os.environ.get("JPY_SESSION_NAME"), cells=_cells(flow, shell))


def _cells(flow: AnyFlow, shell: Shell | None) -> tuple[Cell, ...]:
    if shell is None:
        return ()
    files = {code.co_filename: cell_number(code.co_filename, shell) for code in codes(flow)}
    # IPython gives `linecache` each cell as it was compiled; its history has lost blank lines at the top.
    cells = [
        Cell(file=file, number=number, text="".join(linecache.getlines(file)).rstrip("\n"))
        for file, number in files.items()
        if number
    ]
    return tuple(sorted(cells, key=lambda cell: cell.number))
