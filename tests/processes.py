"""Processes that tests started, found by their environment."""

from __future__ import annotations

import contextlib
import os
from multiprocessing import resource_tracker
from pathlib import Path

import psutil


def processes_of(folder: Path) -> list[psutil.Process]:
    """The living processes whose SatFlow state folder is that folder or inside it, except this one."""
    # Python's own tracker of shared memory is started by the first process that is spawned, and ends with this one.
    ours = (os.getpid(), resource_tracker._resource_tracker._pid)
    return [each for each in psutil.process_iter() if each.pid not in ours and _lives_in(each, folder)]


def describe_process(process: psutil.Process) -> str:
    """Its id and command line, or nothing after its end."""
    with contextlib.suppress(psutil.Error):
        return f"{process.pid} {' '.join(process.cmdline())}"
    return ""


def _lives_in(process: psutil.Process, folder: Path) -> bool:
    with contextlib.suppress(psutil.Error, OSError):
        state = process.environ().get("SATFLOW_STATE_DIR", "")
        return process.status() != psutil.STATUS_ZOMBIE and Path(state).is_relative_to(folder)
    return False
