"""SLURM commands, run with a time limit."""

from __future__ import annotations

import subprocess

from satflow_ext.errors import ClusterFailed

COMMAND_TIMEOUT = 20
"""Seconds. SLURM's commands block when the controller is down."""


def run_slurm_command(*words: str) -> list[str]:
    """Run a command and return the lines of its output.

    Raises:
        ClusterFailed: the command failed or timed out.
    """
    try:
        done = subprocess.run(
            words, capture_output=True, encoding="utf-8", errors="replace", timeout=COMMAND_TIMEOUT, check=True
        )
    except subprocess.CalledProcessError as error:
        raise ClusterFailed(f"SLURM: {_format_output(error.stderr) or f'{words[0]} failed'}.", fix=FIX) from None
    except (OSError, subprocess.TimeoutExpired):
        raise ClusterFailed(f"SLURM does not answer ({words[0]}).", fix=FIX) from None
    return done.stdout.splitlines()


def _format_output(text: str) -> str:
    return " ".join(text.split()).rstrip(".")


FIX = "Check the output of `sinfo` on this machine."
