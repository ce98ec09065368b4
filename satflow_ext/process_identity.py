"""The identity of a process: it does not change with the clock, and no later process gets it again.

Process ids are reused, and a start time in seconds since 1970 moves with the clock.
Linux records the start in ticks since the boot, and each boot has an id.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

START_FIELD = 19
"""Index of the start time in `/proc/PID/stat` after the command's name, which may contain spaces (field 22 of proc(5))."""


def read_identity(pid: int) -> str | None:
    """Return sixteen hexadecimal digits for a running process, None if there is no process with that id.

    Args:
        pid: process id.
    """
    start = _read_linux_start(pid) if _read_boot_id() else _read_psutil_start(pid)
    return None if start is None else hashlib.sha256(f"{_read_boot_id()} {pid} {start}".encode()).hexdigest()[:16]


def is_alive(pid: int, identity: str) -> bool:
    """Return whether that same process is still running.

    Args:
        pid: process id.
        identity: the value that `read_identity` returned for it.
    """
    return read_identity(pid) == identity


@lru_cache(maxsize=1)
def _read_boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _read_linux_start(pid: int) -> str | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else fields[START_FIELD]


def _read_psutil_start(pid: int) -> str | None:
    """Return the start time on other systems such as macOS, where it does not move with the clock."""
    import psutil

    try:
        return f"{psutil.Process(pid).create_time():.2f}"
    except psutil.NoSuchProcess:
        return None
