"""Where the local stack's socket is, in a folder that nobody else can enter.

A unix socket's path may have about 100 bytes. Where the runtime folder's is longer, the socket stands in a folder under
`/tmp` whose name is derived from it; whoever connects or listens checks that this folder is the user's own.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from satflow_ext.errors import StackFailed
from satflow_ext.settings import Settings

PATH_LIMIT = 100


def socket_path(settings: Settings) -> Path:
    """Where the supervisor listens."""
    near = settings.runtime_dir.absolute() / "stack.sock"
    if len(os.fsencode(near)) <= PATH_LIMIT:
        return near
    name = hashlib.sha256(os.fsencode(near)).hexdigest()[:16]
    return Path(f"/tmp/satflow-{os.getuid()}-{name}") / "stack.sock"  # noqa: S108 - checked by private_folder


def private_folder(path: Path) -> Path:
    """The folder, made when it is missing, with mode 0700 and of this user.

    Raises:
        StackFailed: it is somebody else's, or no folder, or cannot be made.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.lstat()
    except OSError as error:  # such as `XDG_RUNTIME_DIR` of another user, after `su`
        raise StackFailed(f"{path} cannot be made: {error.strerror}.", fix="Set SATFLOW_RUNTIME_DIR.") from None
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise StackFailed(f"{path} is not a folder of yours.", fix="Remove it, or set SATFLOW_RUNTIME_DIR.")
    if stat.S_IMODE(found.st_mode) & 0o077:
        path.chmod(0o700)
    return path
