"""The state of all files that this interpreter's modules come from, to detect changes of what is installed."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import NamedTuple, TypeAlias


class FileState(NamedTuple):
    """The properties of a file or a folder that change when it is written or replaced."""

    modified: int
    size: int
    inode: int


FileStates: TypeAlias = dict[str, "FileState | None"]
"""The state of each path, None for a missing one."""


def read_imported_files() -> FileStates:
    """Return the state of the files of all imported modules, and of the folders from which modules would be imported.

    An installation changes a folder (`*.dist-info`), also where none of its files is imported. `.pth` files are read when an
    interpreter starts.
    """
    return read_states([*_module_files(), *_import_folders(), *_path_files()])


def read_states(paths: list[str]) -> FileStates:
    """Return the state of each path."""
    return {path: _read_state(path) for path in paths}


def are_unchanged(states: FileStates) -> bool:
    """Return whether all paths still have these states."""
    return all(_read_state(path) == state for path, state in states.items())


def _module_files() -> list[str]:
    files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    return sorted({file for file in files if isinstance(file, str)})


def _import_folders() -> list[str]:
    return [entry for entry in sys.path if entry]


def _path_files() -> list[str]:
    files: list[str] = []
    for folder in _import_folders():
        with contextlib.suppress(OSError):
            files += [os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".pth")]
    return files


def _read_state(path: str) -> FileState | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return FileState(found.st_mtime_ns, found.st_size, found.st_ino)
