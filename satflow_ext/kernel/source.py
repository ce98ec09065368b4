"""The source of a flow: the texts of the cells and local files that define the objects that it reaches."""

from __future__ import annotations

import linecache
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import CodeType

from satflow_ext.git import find_commit
from satflow_ext.kernel.flow_discovery import Shell, cell_number, notebook_path
from satflow_ext.kernel.local_modules import is_local_path
from satflow_ext.kernel.reachable_objects import ReachedObject
from satflow_ext.models import Cell, Source, SourceFile
from satflow_ext.setup_cells import list_setup_cells as setup_cells

_loaded_cells: dict[str, Cell] = {}


def code_files(everything: Iterable[ReachedObject]) -> list[str]:
    """Return the sorted names of the files and cells whose code is pickled by value."""
    return sorted({each.value.co_filename for each in everything if isinstance(each.value, CodeType)})


def collect_source(names: Iterable[str], shell: Shell | None, packed_sources: Mapping[str, str]) -> Source:
    """Return the cells and local files whose code the flow reaches, the notebook if Jupyter set its path, and the git commit.

    Args:
        names: the names that `code_files` returns.
        shell: the IPython shell, None in plain Python.
        packed_sources: sources that are packed as text: path below the import path → text.
    """
    files = {_relative_to_import_path(name): name for name in names if os.path.isfile(name) and is_local_path(name)}
    texts = {path: "".join(linecache.getlines(name)) for path, name in files.items()} | dict(packed_sources)
    return Source(
        notebook=notebook_path(),
        commit=find_commit(Path.cwd()),
        cells=_collect_cells(names, shell),
        files=tuple(SourceFile(path=path, text=text) for path, text in sorted(texts.items())),
    )


def add_loaded_cells(cells: Iterable[Cell]) -> None:
    """Store the cells of a flow that was loaded from the store, since this kernel's history does not contain them."""
    _loaded_cells.update((cell.file, cell) for cell in cells)


def _collect_cells(names: Iterable[str], shell: Shell | None) -> tuple[Cell, ...]:
    setup = {cell.file for cell in setup_cells()}
    # IPython puts each cell into `linecache` as it was compiled; its history omits blank lines at the top.
    shell_cells = [
        Cell(
            file=name,
            number=number,
            text="".join(linecache.getlines(name)).rstrip("\n"),
            setup=name in setup,
        )
        for name in names
        if (number := cell_number(name, shell))
    ]
    known = {cell.file for cell in shell_cells}
    loaded = [_loaded_cells[name] for name in names if name in _loaded_cells and name not in known]
    return tuple(sorted([*loaded, *shell_cells], key=lambda cell: cell.number))


def _relative_to_import_path(file: str) -> str:
    """Return the file's path relative to its folder on the import path; only its name if no such folder contains it."""
    folders = [folder for entry in sys.path if file.startswith(folder := os.path.join(os.path.abspath(entry), ""))]
    return Path(file.removeprefix(max(folders, key=len)) if folders else os.path.basename(file)).as_posix()
