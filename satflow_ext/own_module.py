"""Run a module of this package in a separate process, which imports nothing from the current folder.

`python -m` searches modules in the current folder first. This is often a notebook's folder: it may contain a `random.py`, and
on a shared disk other users may write there. `PYTHONSAFEPATH` prevents it from Python 3.11 on, and this package supports 3.10.
"""

from __future__ import annotations

import os
import sys

RUN_MODULE_CODE = (
    "import sys; sys.path[:] = filter(None, sys.path); "
    "import runpy; runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"
)
"""Code that removes the empty entry of `sys.path` (the current folder) and runs the module."""


def build_module_command(module: str, interpreter: str = sys.executable) -> tuple[str, ...]:
    """Return the command that runs a module as `python -m` does, with this process's or another interpreter."""
    return interpreter, "-c", RUN_MODULE_CODE.format(module=module)


def build_module_environment() -> dict[str, str]:
    """Return a copy of this process's environment in which no empty entry of `PYTHONPATH` means the current folder."""
    entries = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, entries))}
