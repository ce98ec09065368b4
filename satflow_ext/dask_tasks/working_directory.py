"""The working directory of a Dask worker while it runs tasks with data files. All threads of a process share one."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

log = logging.getLogger(__name__)

_lock = threading.Lock()
_running: list[str] = []
"""The folders of the running tasks."""
_before = ""


@contextmanager
def at(folder: str | None) -> Iterator[None]:
    """Run a task in a folder; None: in the worker's current directory."""
    if folder is None:
        yield
        return
    _enter(folder)
    try:
        yield
    finally:
        _leave(folder)


def _enter(folder: str) -> None:
    global _before
    with _lock:
        if not _running:
            _before = os.getcwd()
        elif folder not in _running:
            log.warning("Tasks of two runs with different data files share a Dask worker's working directory.")
        os.chdir(folder)
        _running.append(folder)


def _leave(folder: str) -> None:
    with _lock:
        _running.remove(folder)
        os.chdir(_running[-1] if _running else _before)
