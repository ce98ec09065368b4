"""The working directory of a Dask worker while it runs tasks with data files. All threads of a process share one."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

log = logging.getLogger(__name__)

_lock = threading.Lock()
_task_folders: list[str] = []
"""The folders of the running tasks."""
_original_folder = ""


@contextmanager
def working_directory(folder: str | None) -> Iterator[None]:
    """Run a task in a folder; None: in the worker's current directory."""
    if folder is None:
        yield
        return
    _enter_folder(folder)
    try:
        yield
    finally:
        _leave_folder(folder)


def _enter_folder(folder: str) -> None:
    global _original_folder
    with _lock:
        if not _task_folders:
            _original_folder = os.getcwd()
        elif folder not in _task_folders:
            log.warning("Tasks of two runs with different data files share a Dask worker's working directory.")
        os.chdir(folder)
        _task_folders.append(folder)


def _leave_folder(folder: str) -> None:
    with _lock:
        _task_folders.remove(folder)
        os.chdir(_task_folders[-1] if _task_folders else _original_folder)
