"""Atomic and durable writes of private files: a file is complete or absent, also after a power failure."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_atomically(path: Path, content: bytes) -> None:
    """Write the content to the path, with mode 0600.

    The order is fsync(file) → rename → fsync(folder). Without the first, a power failure leaves a torn file; without the last,
    the previous one.

    Raises:
        OSError: the write failed; the previous file is unchanged.
    """
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # two threads may replace one file
    fresh = Path(name)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        sync_folder(path.parent)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Flush a folder to disk, so that renamed and removed files stay so after a power failure.

    Raises:
        OSError: the disk failed.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
