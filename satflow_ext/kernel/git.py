"""The git commit that the notebook's folder stands at, asked of plain `git`."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from satflow_ext.models import Commit

PATIENCE = 2.0
"""Seconds for one question; a repository that takes longer is registered without an answer."""


def commit_of(folder: Path) -> Commit | None:
    """The commit of the repository that the folder belongs to, None where there is none, or no git."""
    commit = _git(folder, "rev-parse", "--verify", "HEAD")
    if not commit:
        return None
    changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return Commit(id=commit.strip(), dirty=None if changed is None else bool(changed.strip()))


def _git(folder: Path, *words: str) -> str | None:
    program = shutil.which("git")
    if program is None:
        return None
    # Nothing that a repository's own configuration names is run, and no lock is taken.
    command = [program, "-c", "core.fsmonitor=false", "--no-optional-locks", *words]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "GIT_TERMINAL_PROMPT": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return None
    return done.stdout if done.returncode == 0 else None
