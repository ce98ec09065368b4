"""The lines that a flow run of the local stack logs, in a file of its own on this machine.

A Prefect server takes lines in later the more there are: at 1,000 a second, on a laptop, by many seconds. So the flow run's own
process writes each line here as well, at the moment in which it is logged, and who follows the run on this machine reads it at
once. The truth stays with the Prefect API: this file has a bound, has only the lines of that one process, and goes with it.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from uuid import UUID

from satflow_ext.lease.address import private_folder
from satflow_ext.settings import Settings

LIMIT = 16 * 1024 * 1024
"""The most bytes of one run. What is logged after that is read from the Prefect API, as everything is elsewhere."""

LEFT = 3600.0
"""Seconds without a new line after which a file is taken for one that a killed process left. To take away one that is still
written to loses nothing but speed."""


def path(settings: Settings, run_id: UUID | str) -> Path:
    """Where the lines of a flow run are, as one JSON object each; there is nothing when it runs elsewhere or has ended."""
    return _folder(settings) / f"{UUID(str(run_id))}.jsonl"


def make_folder(settings: Settings) -> None:
    """Make the folder, which nobody else can enter.

    Raises:
        StackFailed: it is somebody else's, or cannot be made.
    """
    private_folder(private_folder(settings.runtime_dir) / "lines")


def sweep(settings: Settings) -> None:
    """Take away what killed flow runs left behind."""
    for each in _folder(settings).glob("*.jsonl"):
        with contextlib.suppress(FileNotFoundError):  # its owner was quicker
            if time.time() - each.stat().st_mtime > LEFT:
                each.unlink()


def _folder(settings: Settings) -> Path:
    return settings.runtime_dir / "lines"
