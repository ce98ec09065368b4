"""SLURM's commands, asked and not waited for longer than is sensible."""

from __future__ import annotations

import subprocess

from satflow_ext.errors import ClusterFailed

PATIENCE = 20
"""Seconds. SLURM's commands wait for a controller that is gone."""


def ask(*words: str) -> list[str]:
    """The lines that a command writes.

    Raises:
        ClusterFailed: it failed, or took too long.
    """
    try:
        done = subprocess.run(
            words, capture_output=True, encoding="utf-8", errors="replace", timeout=PATIENCE, check=True
        )
    except subprocess.CalledProcessError as error:
        raise ClusterFailed(f"SLURM: {_said(error.stderr) or f'{words[0]} failed'}.", fix=SEE) from None
    except (OSError, subprocess.TimeoutExpired):
        raise ClusterFailed(f"SLURM does not answer ({words[0]}).", fix=SEE) from None
    return done.stdout.splitlines()


def _said(text: str) -> str:
    return " ".join(text.split()).rstrip(".")


SEE = "See what `sinfo` says on this machine."
