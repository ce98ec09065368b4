"""Private temporary folders of processes, which the local stack removes if their process was killed.

A folder's name contains the id and the identity of its process: once that process has ended, the folder is no longer needed.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from satflow_ext import process_identity
from satflow_ext.disk_room import DISK_FULL_ERRORS
from satflow_ext.errors import DiskFailed, DiskFull
from satflow_ext.lease.address import make_private_folder
from satflow_ext.settings import Settings

Purpose = Literal["run", "pack"]

FOLDER_NAME = re.compile(r"(?:satflow-)?(?:run|pack)-(?P<pid>\d+)-(?:(?P<identity>[0-9a-f]{8})-)?.+")
"""A folder name. Without an identity, as in the log folder of a remote run, it is kept while any process has that id."""

IDENTITY_DIGITS = 8
"""Digits of the identity in a folder's name: few, because paths of sockets are short, and the process id has to match too."""


def make_scratch_folder(settings: Settings, purpose: Purpose) -> Path:
    """Create a scratch folder of this process. The caller removes it.

    Raises:
        StackFailed: the runtime folder belongs to another user, or cannot be created.
        DiskFailed: the disk failed.
    """
    parent = make_private_folder(settings.runtime_dir / "scratch")
    with report_disk_errors(parent):
        return Path(tempfile.mkdtemp(prefix=f"{purpose}-{_format_owner()}-", dir=parent))


def make_socket_folder() -> Path:
    """Create a scratch folder of this flow run in the system's temporary folder, because a socket's path is limited to 107 bytes.

    The caller removes it.
    """
    return Path(tempfile.mkdtemp(prefix=f"satflow-run-{_format_owner()}-"))


def _format_owner() -> str:
    """Return the id and the identity of this process, in the form of a folder's name."""
    return f"{os.getpid()}-{_read_short_identity(os.getpid())}"


def _read_short_identity(process: int) -> str | None:
    identity = process_identity.read_identity(process)
    return identity[:IDENTITY_DIGITS] if identity else None


@contextmanager
def scratch_folder(settings: Settings, purpose: Purpose) -> Iterator[Path]:
    """Create a scratch folder of this process, and remove it after the block.

    Raises:
        StackFailed: the runtime folder belongs to another user, or cannot be created.
        DiskFailed: the disk failed.
    """
    made = make_scratch_folder(settings, purpose)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextmanager
def report_disk_full(path: Path) -> Iterator[None]:
    """Convert "no space left on device" inside the block to an error with the path.

    Raises:
        DiskFull: the disk is full, or a quota or a limit was exceeded.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in DISK_FULL_ERRORS:
            raise
        raise DiskFull(
            f"There is no room left in {path}: {error.strerror}.",
            fix="Make room there, or set SATFLOW_RUNTIME_DIR to a folder on a larger disk.",
        ) from error


@contextmanager
def report_disk_errors(path: Path) -> Iterator[None]:
    """Convert each failure of a disk inside the block to an error with the path. The block must not run the user's code.

    Raises:
        DiskFull: the disk is full, or a quota or a limit was exceeded.
        DiskFailed: the disk failed for another reason.
    """
    try:
        with report_disk_full(path):
            yield
    except OSError as error:
        raise DiskFailed(
            f"{error.filename or path} cannot be written or read: {error.strerror or error}.",
            fix="Check that disk, or set SATFLOW_RUNTIME_DIR to a folder on another one.",
        ) from error


def remove_orphaned_folders(settings: Settings) -> int:
    """Remove the scratch folders of killed processes. Return their number."""
    made = [*(settings.runtime_dir / "scratch").glob("*-*-*"), *Path(tempfile.gettempdir()).glob("satflow-run-*-*")]
    left = [path for path in made if _is_orphaned(path)]
    for path in left:
        shutil.rmtree(path, ignore_errors=True)
    return len(left)


def _is_orphaned(path: Path) -> bool:
    match = FOLDER_NAME.fullmatch(path.name)
    if match is None:
        return False
    identity = _read_short_identity(int(match["pid"]))
    if identity is not None and match["identity"] in (identity, None):
        return False
    try:
        return path.lstat().st_uid == os.getuid()
    except FileNotFoundError:  # its owner removed it in the meantime
        return False
