"""The git commit that the notebook's folder stands at, asked of plain `git`."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from satflow_ext.models import Commit

HEAD = "# branch.oid "
UNBORN = "(initial)"
"""What `git status --porcelain=v2 --branch` says before the commit, and where there is none yet."""
PATIENCE = 2.0
"""Seconds for one question; a repository that takes longer is registered without an answer."""


def commit_of(folder: Path) -> Commit | None:
    """The commit of the repository that the folder belongs to, None where there is none, or no git."""
    status = ask(folder, "status", "--porcelain=v2", "--branch", "--no-ahead-behind", "--untracked-files=no")
    if status is None:  # too slow, for one
        commit = ask(folder, "rev-parse", "--verify", "HEAD")
        return Commit(id=commit.strip(), dirty=None) if commit else None
    lines = status.splitlines()
    commits = [line.removeprefix(HEAD) for line in lines if line.startswith(HEAD)]
    changed = any(not line.startswith("#") for line in lines)
    return Commit(id=commits[0], dirty=changed) if commits and commits[0] != UNBORN else None


def ask(folder: Path, *words: str, patience: float = PATIENCE) -> str | None:
    """What git prints in a folder, None where it fails, takes longer than `patience` seconds, or is not there."""
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
            encoding="utf-8",
            timeout=patience,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return None
    return done.stdout if done.returncode == 0 else None
