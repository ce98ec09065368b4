"""The git commit of the notebook's folder, read with the `git` command."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from satflow_ext.models import Commit

COMMIT_PREFIX = "# branch.oid "
NO_COMMIT = "(initial)"
"""Output of `git status --porcelain=v2 --branch` before the commit id, and in place of it in a repository without commits."""
TIMEOUT = 2.0
"""Timeout of one command in seconds; a flow in a slower repository is registered without this information."""


def find_commit(folder: Path) -> Commit | None:
    """Return the commit of the repository that contains the folder; None if there is no commit, repository or git."""
    status = run_git(folder, "status", "--porcelain=v2", "--branch", "--no-ahead-behind", "--untracked-files=no")
    if status is None:  # for example after the timeout
        commit = run_git(folder, "rev-parse", "--verify", "HEAD")
        return Commit(id=commit.strip(), dirty=None) if commit else None
    lines = status.splitlines()
    commits = [line.removeprefix(COMMIT_PREFIX) for line in lines if line.startswith(COMMIT_PREFIX)]
    changed = any(not line.startswith("#") for line in lines)
    return Commit(id=commits[0], dirty=changed) if commits and commits[0] != NO_COMMIT else None


def run_git(folder: Path, *words: str, timeout: float = TIMEOUT) -> str | None:
    """Return the output of a git command in a folder; None if it fails, exceeds `timeout` seconds, or git is not installed."""
    program = shutil.which("git")
    if program is None:
        return None
    # Do not run programs that the repository's configuration names, and take no lock.
    command = [program, "-c", "core.fsmonitor=false", "--no-optional-locks", *words]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "GIT_TERMINAL_PROMPT": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=timeout,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return None
    return done.stdout if done.returncode == 0 else None
