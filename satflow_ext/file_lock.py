"""Mutual exclusion between the processes and threads of a machine, by a lock on a file that is deleted on release."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def lock_file(path: Path) -> Iterator[None]:
    """Hold the lock while the block runs. Blocks until it is free. The operating system releases it when its holder ends.

    Args:
        path: the lock file, in an existing folder.

    Raises:
        OSError: the file system does not support locks.
    """
    while True:
        with try_lock_file(path, fcntl.LOCK_EX) as mine:
            if mine:
                yield
                return


@contextmanager
def try_lock_file(path: Path, operation: int = fcntl.LOCK_EX | fcntl.LOCK_NB) -> Iterator[bool]:
    """Try to get the lock, by default without waiting. Yield whether it was acquired; if not, the caller may try again.

    Args:
        path: the lock file, in an existing folder.
        operation: the operation of `flock`.

    Raises:
        OSError: the file cannot be opened, or the file system does not support locks.
    """
    with _open_lock_file(path) as lock:
        # The previous holder may have deleted the file after it was opened here; others may hold a lock on a new file.
        if not (_acquire_lock(lock, operation) and _is_same_file(path, lock)):
            yield False
            return
        try:
            yield True
        finally:
            path.unlink(missing_ok=True)


def take_lock(path: Path) -> IO[bytes] | None:
    """Lock a file that is never deleted, without waiting. Return the file to close, or None if another process holds the lock.

    Args:
        path: the lock file, in an existing folder.

    Raises:
        OSError: the file cannot be opened, or the file system does not support locks.
    """
    lock = _open_lock_file(path)
    if _acquire_lock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB):
        return lock
    lock.close()
    return None


def _open_lock_file(path: Path) -> IO[bytes]:
    return open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "rb")


def _acquire_lock(lock: IO[bytes], operation: int) -> bool:
    try:
        fcntl.flock(lock, operation)
    except BlockingIOError:
        return False
    return True


def _is_same_file(path: Path, lock: IO[bytes]) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(lock.fileno()))
    except FileNotFoundError:
        return False
