"""The command line, as a user calls it."""

from __future__ import annotations

import subprocess
import sys
from typing import Any


def satflow(*words: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command.

    Args:
        words: the words after `satflow`.
        options: of the process.

    Returns:
        The finished process.
    """
    command = [sys.executable, "-m", "satflow_ext.cli", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False, **options)
