"""What Ray is told by environment variables, which it reads once, when it is imported, and its processes inherit."""

from __future__ import annotations

import os
import secrets

TOKEN = "RAY_AUTH_TOKEN"  # noqa: S105  # its name
OWN = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # to Ray, one machine: all of its parts listen on loopback only
    "RAY_USAGE_STATS_ENABLED": "0",
}


def prepare(*, own: bool) -> None:
    """Set what there is to set before Ray is imported.

    Args:
        own: for a Ray that this process starts: it is on loopback, asks for a token that is made here, and reports to nobody.
            Otherwise for a cluster that is there, which is shown the token of the environment where it has one.
    """
    os.environ["RAY_TQDM_PATCH_PRINT"] = "0"  # or Ray puts its own `print` in the place of this process's
    if own:
        os.environ.update(OWN)
        os.environ[TOKEN] = secrets.token_hex(32)
        os.environ.pop("RAY_ADDRESS", None)  # a cluster that nobody chose
    if os.environ.get(TOKEN):
        os.environ["RAY_AUTH_MODE"] = "token"
