"""A real load of a flow's pickle in a clean process: what the flow run will do first, before anything is sent."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path
from time import monotonic

from satflow_ext.errors import CannotPickle
from satflow_ext.models import PackedFlow

LOADS = "import sys, cloudpickle; cloudpickle.load(open(sys.argv[1], 'rb'))"
LONGEST = 120.0
"""Seconds that a load may take."""
NOTEBOOKS_OWN = ("PYTHONPATH", "PYTHONSTARTUP", "IPYTHONDIR", "MPLBACKEND")
"""Environment variables that a kernel may have and a flow run has not."""


async def rehearse(packed: PackedFlow) -> float:
    """Load the pickle with the interpreter that packed it, in an empty folder and a process of its own.

    Returns:
        How long that took, in seconds.

    Raises:
        CannotPickle: it cannot be loaded there; the message is the last line that Python wrote.
    """
    begun = monotonic()
    environment = {name: value for name, value in os.environ.items() if name not in NOTEBOOKS_OWN}
    body = Path(packed.body).resolve()
    # Beside the body: who made that folder takes it away, also after this process was killed.
    with tempfile.TemporaryDirectory(dir=body.parent) as folder:
        process = await asyncio.create_subprocess_exec(
            packed.environment.executable,
            "-c",
            LOADS,
            str(body),
            cwd=folder,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        said = await _end_of(process)
    if process.returncode:
        last = said.strip().splitlines()[-1:] or [f"the process ended with code {process.returncode}"]
        raise CannotPickle(
            f"The flow cannot be loaded in a clean process: {last[0]}",
            fix="Something that it needs is not where runs happen: a module, a file, or an environment variable.",
        )
    return monotonic() - begun


async def _end_of(process: asyncio.subprocess.Process) -> str:
    """What the process wrote to its stderr until it ended. One that is too slow, or not waited for any more, is ended."""
    try:
        _, said = await asyncio.wait_for(process.communicate(), LONGEST)
    except asyncio.TimeoutError:
        return f"it was not loaded after {LONGEST:g} s"
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return said.decode(errors="replace")
