"""The path of the local stack's socket, in a folder that other users cannot enter.

The path of a unix socket may have about 100 bytes. If the path in the runtime folder is longer, the socket is in a folder under
`/tmp` whose name is derived from that path; client and supervisor check that the user owns this folder.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from satflow_ext.errors import StackFailed
from satflow_ext.settings import Settings

PATH_LIMIT = 100
OTHER_FOLDERS = (
    "SATFLOW_STATE_DIR, SATFLOW_RUNTIME_DIR and SATFLOW_CACHE_DIR to folders of yours that can be written to"
)


def socket_path(settings: Settings) -> Path:
    """Return the path of the supervisor's socket."""
    near = settings.runtime_dir.absolute() / "stack.sock"
    if len(os.fsencode(near)) <= PATH_LIMIT:
        return near
    name = hashlib.sha256(os.fsencode(near)).hexdigest()[:16]
    return Path(f"/tmp/satflow-{os.getuid()}-{name}") / "stack.sock"  # noqa: S108 - checked by private_folder


def make_private_folder(path: Path) -> Path:
    """Create a folder if it is missing, and make sure that this user owns it and that it has mode 0700.

    Returns:
        The same path.

    Raises:
        StackFailed: the path belongs to another user, is not a folder, or cannot be created.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.lstat()
    except OSError as error:  # such as `XDG_RUNTIME_DIR` of another user, after `su`
        raise StackFailed(f"{path} cannot be created: {error.strerror}.", fix=f"Set {OTHER_FOLDERS}.") from None
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise StackFailed(f"{path} is not a folder that you own.", fix=f"Remove it, or set {OTHER_FOLDERS}.")
    if stat.S_IMODE(found.st_mode) & 0o077:
        path.chmod(0o700)
    return path
