"""Folders that a process needs for a while: private, and taken away by the local stack when their process was killed.

A folder's name says whose it is. Whose process is gone, or was started after the folder last changed and so is another one with
the same number, needs it no longer.
"""

from __future__ import annotations

import errno
import math
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from satflow_ext.errors import DiskFailed, DiskFull
from satflow_ext.lease.address import private_folder
from satflow_ext.settings import Settings

Purpose = Literal["run", "pack"]

NAME = re.compile(r"(?:satflow-)?(?:run|pack)-(\d+)-.+")
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def make(settings: Settings, purpose: Purpose) -> Path:
    """A new folder of this process. Who makes it takes it away.

    Raises:
        StackFailed: the runtime folder is somebody else's, or cannot be made.
        DiskFailed: the disk did not take it.
    """
    parent = private_folder(settings.runtime_dir / "scratch")
    with disk(parent):
        return Path(tempfile.mkdtemp(prefix=f"{purpose}-{os.getpid()}-", dir=parent))


def make_for_sockets() -> Path:
    """A new folder of this flow run below the system's temporary one, because a socket's path may have 107 bytes.

    Who makes it takes it away.
    """
    return Path(tempfile.mkdtemp(prefix=f"satflow-run-{os.getpid()}-"))


@contextmanager
def folder(settings: Settings, purpose: Purpose) -> Iterator[Path]:
    """A new folder of this process, gone after the block.

    Raises:
        StackFailed: the runtime folder is somebody else's, or cannot be made.
        DiskFailed: the disk did not take it.
    """
    made = make(settings, purpose)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextmanager
def room(place: Path) -> Iterator[None]:
    """Inside the block, "no space left on device" is told with the place where room is missing.

    Raises:
        DiskFull: the disk, a quota or a limit took no more.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        raise DiskFull(
            f"There is no room left in {place}: {error.strerror}.",
            fix="Make room there, or set SATFLOW_RUNTIME_DIR to a folder on a larger disk.",
        ) from error


@contextmanager
def disk(place: Path) -> Iterator[None]:
    """Inside the block, whatever a disk did not do is told with the place. The block runs no code of the user's.

    Raises:
        DiskFull: the disk, a quota or a limit took no more.
        DiskFailed: something else stood in the way.
    """
    try:
        with room(place):
            yield
    except OSError as error:
        raise DiskFailed(
            f"{error.filename or place} cannot be written or read: {error.strerror or error}.",
            fix="See what is wrong with that disk, or set SATFLOW_RUNTIME_DIR to a folder on another one.",
        ) from error


def sweep(settings: Settings) -> int:
    """Take away what killed processes left behind; how many folders that were."""
    made = [*(settings.runtime_dir / "scratch").glob("*-*-*"), *Path(tempfile.gettempdir()).glob("satflow-run-*-*")]
    left = [path for path in made if _is_left(path)]
    for path in left:
        shutil.rmtree(path, ignore_errors=True)
    return len(left)


def _is_left(path: Path) -> bool:
    match = NAME.fullmatch(path.name)
    if match is None:
        return False
    try:
        made = path.lstat()
        return made.st_uid == os.getuid() and _started(int(match[1])) > made.st_mtime + 1
    except FileNotFoundError:  # its owner was quicker
        return False


def _started(process: int) -> float:
    """When a process began, in seconds since 1970; never, where there is none, is later than all else."""
    import psutil

    try:
        return psutil.Process(process).create_time()
    except psutil.NoSuchProcess:
        return math.inf
