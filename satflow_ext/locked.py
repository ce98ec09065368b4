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
        with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not _stands_at(path, lock):  # who had it has taken the file away: others may lock the next one already
                continue
            try:
                yield
            finally:
                path.unlink(missing_ok=True)
            return


def _stands_at(path: Path, lock: IO[bytes]) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(lock.fileno()))
    except FileNotFoundError:
        return False
