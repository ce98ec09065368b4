"""The interpreter and the cells that a flow comes from."""

from __future__ import annotations

import importlib.util
import linecache
import os
import platform
import re
import sys
from pathlib import Path

from satflow_ext.kernel.find import AnyFlow, Shell, cell_number
from satflow_ext.kernel.reach import codes
from satflow_ext.models import Cell, Environment, Source

INSTALLED = re.compile(r"(?P<name>.+?)-(?P<version>[^-]+)(-[^-]+)?\.(dist|egg)-info")


def environment() -> Environment:
    """The interpreter of this process and what is installed for it."""
    return Environment(
        python=platform.python_version(),
        implementation=platform.python_implementation(),
        magic=importlib.util.MAGIC_NUMBER.hex(),
        executable=sys.executable,
        packages=installed(),
    )


def installed() -> dict[str, str]:
    """Distribution name → version, told from the names of the metadata folders: no file is read.

    Names are normalised. The first on `sys.path` wins, as in an import.
    """
    packages: dict[str, str] = {}
    for folder in map(Path, sys.path):
        for entry in sorted(folder.glob("*-info")) if folder.is_dir() else ():
            if match := INSTALLED.fullmatch(entry.name):
                packages.setdefault(re.sub(r"[-_.]+", "-", match["name"]).lower(), match["version"])
    return packages


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
