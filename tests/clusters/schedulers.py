"""Dask schedulers of somebody else's."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager

from tests.eventually import eventually


@contextmanager
def scheduler(file, *more):
    """A Dask scheduler of somebody else's: its process and its address."""
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler"]
    options = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file), *more]
    process = subprocess.Popen([*command, *options])
    try:
        yield process, json.loads(eventually(lambda: file.exists() and file.read_text()))["address"]
    finally:
        process.kill()
        process.wait()
