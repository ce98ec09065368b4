"""The lock of a stack, held by at most one process: the supervisor, or a process that changes the files of a stopped stack."""

from __future__ import annotations

from typing import IO

from satflow_ext import file_lock
from satflow_ext.lease.address import make_private_folder
from satflow_ext.settings import Settings


def take_stack_lock(settings: Settings) -> IO[bytes] | None:
    """Take the lock without waiting; return the file to close, or None if another process holds the lock.

    The kernel releases the lock however its holder ends, so it is never stale.

    Args:
        settings: settings of the stack.
    """
    return file_lock.take_lock(make_private_folder(settings.runtime_dir) / "stack.lock")
