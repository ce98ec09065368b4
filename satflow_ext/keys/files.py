"""Files that only one user can read or change: made whole and durably, and refused when others can get at them."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from satflow_ext import atomic_files
from satflow_ext.errors import KeysRefused

LIMIT = 64 * 1024
"""The most bytes of a file with keys."""
PRIVATE = 0o077
"""Mode bits that a private file or folder does not have."""
UNCHANGEABLE = 0o022
"""Mode bits that a file does not have which only its owner may change."""
MEND = "See who opened it. If a stranger could read a private key: chmod it, `satflow keys rotate`, and revoke the old one."


def private_folder(path: Path) -> Path:
    """The folder, made with mode 0700 where it is missing.

    Raises:
        KeysRefused: it is a link, somebody else's, or open to others; or it cannot be made.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = os.lstat(path)
    except OSError as error:
        raise KeysRefused(f"{path} cannot be made: {error.strerror}.", fix="Set SATFLOW_STATE_DIR.") from None
    if not stat.S_ISDIR(found.st_mode):
        raise KeysRefused(f"{path} is not a plain folder.", fix=MEND)
    _check(path, found, PRIVATE, {os.getuid()})
    return path


def read_private(path: Path) -> bytes | None:
    """What is in a private file, None where there is no such file.

    Raises:
        KeysRefused: it is a link, somebody else's, open to others, too large or not readable.
    """
    return _read(path, os.O_NOFOLLOW, PRIVATE, owners={os.getuid()})


def read_public(path: Path) -> bytes:
    """What is in a file that anybody may read but only its owner, this user or root, may change.

    Raises:
        KeysRefused: there is none, or somebody else can change it.
    """
    found = _read(path, 0, UNCHANGEABLE, owners={os.getuid(), 0})
    if found is None:
        raise KeysRefused(f"There is no file {path}.", fix="Give a file with public keys, or a key's own line.")
    return found


def replace_private(path: Path, content: bytes) -> None:
    """Put the content at the path: there whole or not at all, with mode 0600, and still there after a power cut.

    Raises:
        KeysRefused: the disk did not take it.
    """
    try:
        atomic_files.replace(path, content)
    except OSError as error:
        raise KeysRefused(
            f"{path} cannot be written: {error.strerror}.", fix="Make room, or see whose it is."
        ) from None


def _read(path: Path, flags: int, forbidden: int, owners: set[int]) -> bytes | None:
    try:
        # Without waiting: a pipe in the place of a file must not hold anybody up.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | flags)
    except FileNotFoundError:
        return None
    except OSError as error:
        why = "it is a link" if error.errno == errno.ELOOP else error.strerror
        raise KeysRefused(f"{path} cannot be read: {why}.", fix=MEND) from None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise KeysRefused(f"{path} is not a plain file.", fix=MEND)
        _check(path, found, forbidden, owners)
        content = os.read(descriptor, LIMIT + 1)
    except OSError as error:
        raise KeysRefused(
            f"{path} cannot be read: {error.strerror}.", fix="See what is wrong with that disk."
        ) from None
    finally:
        os.close(descriptor)
    if len(content) > LIMIT:
        raise KeysRefused(f"{path} has more than {LIMIT} bytes: these are no keys.", fix="Give another file.")
    return content


def _check(path: Path, found: os.stat_result, forbidden: int, owners: set[int]) -> None:
    if found.st_uid not in owners:
        raise KeysRefused(f"{path} belongs to user {found.st_uid}.", fix=MEND)
    mode = stat.S_IMODE(found.st_mode)
    if mode & forbidden:
        can = "read" if forbidden == PRIVATE else "change"
        raise KeysRefused(f"Others can {can} {path} (mode {mode:04o}).", fix=MEND)
