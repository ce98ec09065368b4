"""Folders that a process needs for a while: private, and taken away by the local stack when their process was killed.

A folder's name says whose it is, by process id and identity: a folder whose very process is gone is needed no longer.
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
from satflow_ext.disk_room import NO_ROOM
from satflow_ext.errors import DiskFailed, DiskFull
from satflow_ext.lease.address import private_folder
from satflow_ext.settings import Settings

Purpose = Literal["run", "pack"]

NAME = re.compile(r"(?:satflow-)?(?:run|pack)-(?P<pid>\d+)-(?:(?P<identity>[0-9a-f]{8})-)?.+")
"""A name without an identity, such as that of the log lines of a run elsewhere, is kept as long as any process has the number."""

DIGITS = 8
"""So many of an identity's: a socket's path is short, and the process id has to be the same as well."""


def make(settings: Settings, purpose: Purpose) -> Path:
    """A new folder of this process. Who makes it takes it away.

    Raises:
        StackFailed: the runtime folder is somebody else's, or cannot be made.
        DiskFailed: the disk did not take it.
    """
    parent = private_folder(settings.runtime_dir / "scratch")
    with disk(parent):
        return Path(tempfile.mkdtemp(prefix=f"{purpose}-{_own()}-", dir=parent))


def make_for_sockets() -> Path:
    """A new folder of this flow run below the system's temporary one, because a socket's path may have 107 bytes.

    Who makes it takes it away.
    """
    return Path(tempfile.mkdtemp(prefix=f"satflow-run-{_own()}-"))


def _own() -> str:
    """Process id and identity of this process, as a folder's name has them."""
    return f"{os.getpid()}-{_identity(os.getpid())}"


def _identity(process: int) -> str | None:
    identity = process_identity.read_identity(process)
    return identity[:DIGITS] if identity else None


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
    identity = _identity(int(match["pid"]))
    if identity is not None and match["identity"] in (identity, None):
        return False
    try:
        return path.lstat().st_uid == os.getuid()
    except FileNotFoundError:  # its owner was quicker
        return False
