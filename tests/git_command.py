"""Git, as somebody with a name uses it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path


def git(folder: Path, *words: str) -> str:
    """Run a command in a folder; gives what it printed."""
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    done = subprocess.run(
        [shutil.which("git"), *identity, *words], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()
