"""Asks packages of platforms that are not to be had here, which `scripts/setup` put into an environment of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

PYTHON = Path(sys.prefix) / "platforms" / "bin" / "python"


def ask(script: Path, question: Any) -> Any:
    """What a script of that environment answers: JSON to JSON."""
    assert PYTHON.exists(), "scripts/setup makes it"
    done = subprocess.run([PYTHON, script], input=json.dumps(question), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.strip().rpartition("\n")[2])
