"""The lock of a stack: at most one process has it, which is the supervisor, or one that changes the files of a stopped stack."""

from __future__ import annotations

from typing import IO

from satflow_ext import locked
from satflow_ext.lease.address import private_folder
from satflow_ext.settings import Settings


def take_stack_lock(settings: Settings) -> IO[bytes] | None:
    """Return the lock, to be closed, or None where another process has it. Waits for nothing.

    The kernel gives it back however the holder ends, so none is ever stale.

    Args:
        settings: of the stack.
    """
    return locked.take(private_folder(settings.runtime_dir) / "stack.lock")
