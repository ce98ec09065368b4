"""Detect a full disk before a write: Prefect's server would answer 500 after many retries, without a reason."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from satflow_ext.errors import DiskFull

NEEDED_BYTES = 4 * 1024 * 1024
"""Free bytes that a disk needs for the database's log, a manifest and log files."""

DISK_FULL_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Error numbers of a full disk, an exceeded quota and an exceeded limit."""


def check_free_space(folders: Iterable[Path]) -> None:
    """Check with an unnamed temporary file that the disk of each folder has `NEEDED_BYTES` free bytes. Blocks.

    Args:
        folders: missing folders, and folders with a problem other than space, are skipped.

    Raises:
        DiskFull: a disk has less; the message names the folder.
    """
    for folder in folders:
        try:
            _reserve_space(folder)
        except OSError as error:
            if error.errno in DISK_FULL_ERRORS:
                raise _disk_full_error(folder, error) from error


def _reserve_space(folder: Path) -> None:
    with tempfile.TemporaryFile(dir=folder) as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, NEEDED_BYTES)
        else:  # macOS
            file.write(bytes(NEEDED_BYTES))
            file.flush()


def _disk_full_error(folder: Path, error: OSError) -> DiskFull:
    left = shutil.disk_usage(folder).free / 1024**2
    return DiskFull(
        f"There is no room left on the disk of {folder} ({left:.1f} MiB free): {error.strerror}.",
        fix="Make room there, or set SATFLOW_STATE_DIR and SATFLOW_RUNTIME_DIR to folders on a larger disk.",
    )
