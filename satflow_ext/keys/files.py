"""Files that only one user can read or change: written atomically and durably, and refused if other users have access."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from satflow_ext import atomic_files
from satflow_ext.errors import KeysRefused

MAX_BYTES = 64 * 1024
"""Maximum bytes of a key file."""
OTHERS_ACCESS = 0o077
"""Mode bits that a private file or folder must not have."""
OTHERS_WRITE = 0o022
"""Mode bits that a file must not have if only its owner may change it."""
ACCESS_FIX = "Correct owner and mode. If another user could read a private key: run `satflow keys rotate` and revoke the old key."


def ensure_private_folder(path: Path) -> Path:
    """Return the folder, created with mode 0700 if it is missing.

    Raises:
        KeysRefused: it is a link, belongs to another user, or gives other users access; or it cannot be created.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = os.lstat(path)
    except OSError as error:
        raise KeysRefused(f"{path} cannot be created: {error.strerror}.", fix="Set SATFLOW_STATE_DIR.") from None
    if not stat.S_ISDIR(found.st_mode):
        raise KeysRefused(f"{path} is not a plain folder.", fix=ACCESS_FIX)
    _check_access(path, found, OTHERS_ACCESS, {os.getuid()})
    return path


def read_private(path: Path) -> bytes | None:
    """Read a private file; None if it does not exist.

    Raises:
        KeysRefused: it is a link, belongs to another user, gives other users access, is too large, or cannot be read.
    """
    return _read_file(path, os.O_NOFOLLOW, OTHERS_ACCESS, owners={os.getuid()})


def read_public(path: Path) -> bytes:
    """Read a file that all users may read, but only its owner, this user or root, may change.

    Raises:
        KeysRefused: it does not exist, or another user can change it.
    """
    found = _read_file(path, 0, OTHERS_WRITE, owners={os.getuid(), 0})
    if found is None:
        raise KeysRefused(f"There is no file {path}.", fix="Give a file with public keys, or a key's own line.")
    return found


def replace_private(path: Path, content: bytes) -> None:
    """Write a file atomically with mode 0600, so that it survives a power failure.

    Raises:
        KeysRefused: it cannot be written.
    """
    try:
        atomic_files.write_atomically(path, content)
    except OSError as error:
        raise KeysRefused(
            f"{path} cannot be written: {error.strerror}.", fix="Free disk space, or check the owner of the file."
        ) from None


def _read_file(path: Path, flags: int, forbidden: int, owners: set[int]) -> bytes | None:
    try:
        # Without waiting: a pipe in place of the file must not block this process.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | flags)
    except FileNotFoundError:
        return None
    except OSError as error:
        reason = "it is a link" if error.errno == errno.ELOOP else error.strerror
        raise KeysRefused(f"{path} cannot be read: {reason}.", fix=ACCESS_FIX) from None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise KeysRefused(f"{path} is not a plain file.", fix=ACCESS_FIX)
        _check_access(path, found, forbidden, owners)
        content = os.read(descriptor, MAX_BYTES + 1)
    except OSError as error:
        raise KeysRefused(f"{path} cannot be read: {error.strerror}.", fix="Check that disk.") from None
    finally:
        os.close(descriptor)
    if len(content) > MAX_BYTES:
        raise KeysRefused(f"{path} has more than {MAX_BYTES} bytes, too many for a key file.", fix="Give another file.")
    return content


def _check_access(path: Path, found: os.stat_result, forbidden: int, owners: set[int]) -> None:
    if found.st_uid not in owners:
        raise KeysRefused(f"{path} belongs to user {found.st_uid}.", fix=ACCESS_FIX)
    mode = stat.S_IMODE(found.st_mode)
    if mode & forbidden:
        can = "read" if forbidden == OTHERS_ACCESS else "change"
        raise KeysRefused(f"Other users can {can} {path} (mode {mode:04o}).", fix=ACCESS_FIX)
