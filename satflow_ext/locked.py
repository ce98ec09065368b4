"""One at a time, among the processes and threads of a machine: a lock on a file, which is gone when nobody has it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Be the only one inside such a block. Blocks; the lock is the kernel's, so it ends with its holder, however that ends.

    Args:
        path: of the lock, in a folder that is there.

    Raises:
        OSError: the file system takes no locks.
    """
    while True:
        with attempted(path, fcntl.LOCK_EX) as mine:
            if mine:
                yield
                return


@contextmanager
def attempted(path: Path, how: int = fcntl.LOCK_EX | fcntl.LOCK_NB) -> Iterator[bool]:
    """Try to be that one, without waiting. Gives whether this one is; if not, try again.

    Args:
        path: of the lock, in a folder that is there.
        how: what `flock` is told.

    Raises:
        OSError: the file cannot be opened, or the file system takes no locks.
    """
    with _opened(path) as lock:
        # Who had it has taken the file away, maybe between the two: others may lock the next one already.
        if not (_got(lock, how) and _stands_at(path, lock)):
            yield False
            return
        try:
            yield True
        finally:
            path.unlink(missing_ok=True)


def take(path: Path) -> IO[bytes] | None:
    """Lock a file that stays where it is, without waiting. Return the lock, to be closed, or None where another process has it.

    Args:
        path: of the lock, in a folder that is there.

    Raises:
        OSError: the file cannot be opened, or the file system takes no locks.
    """
    lock = _opened(path)
    if _got(lock, fcntl.LOCK_EX | fcntl.LOCK_NB):
        return lock
    lock.close()
    return None


def _opened(path: Path) -> IO[bytes]:
    return open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "rb")


def _got(lock: IO[bytes], how: int) -> bool:
    try:
        fcntl.flock(lock, how)
    except BlockingIOError:
        return False
    return True


def _stands_at(path: Path, lock: IO[bytes]) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(lock.fileno()))
    except FileNotFoundError:
        return False
