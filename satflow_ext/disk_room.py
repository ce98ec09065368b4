"""Find a full disk before anything is written to it: Prefect's server would answer 500 after many retries, without a reason."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from satflow_ext.errors import DiskFull

ROOM = 4 * 1024 * 1024
"""Bytes that a disk has to take for anything to work: the database's log, a manifest, log files."""

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""The disk, a quota or a limit takes no more."""


def check_room(folders: Iterable[Path]) -> None:
    """Check by a file without a name that the disk of each folder takes `ROOM` bytes more. Blocks.

    Args:
        folders: those that are missing are left out, and so are those with another problem than room.

    Raises:
        DiskFull: a disk does not; the message names the folder.
    """
    for folder in folders:
        try:
            _reserve(folder)
        except OSError as error:
            if error.errno in NO_ROOM:
                raise _disk_full(folder, error) from error


def _reserve(folder: Path) -> None:
    with tempfile.TemporaryFile(dir=folder) as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, ROOM)
        else:  # macOS
            file.write(bytes(ROOM))
            file.flush()


def _disk_full(folder: Path, error: OSError) -> DiskFull:
    left = shutil.disk_usage(folder).free / 1024**2
    return DiskFull(
        f"There is no room left on the disk of {folder} ({left:.1f} MiB free): {error.strerror}.",
        fix="Make room there, or set SATFLOW_STATE_DIR and SATFLOW_RUNTIME_DIR to folders on a larger disk.",
    )
