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


async def rehearse(packed: PackedFlow, executable: str) -> float:
    """Load the pickle in an empty folder and a process of its own.

    Args:
        packed: the flow.
        executable: the Python that loads it, of the same minor version as the one that packed it.

    Returns:
        How long that took, in seconds.

    Raises:
        CannotPickle: it cannot be loaded there; the message is the last line that Python wrote.
    """
    begun = monotonic()
    body = Path(packed.body).resolve()
    # Beside the body: who made that folder takes it away, also after this process was killed.
    with tempfile.TemporaryDirectory(dir=body.parent) as folder:
        failed = await failure(executable, LOADS, str(body), folder=folder)
    if failed:
        raise CannotPickle(
            f"The flow cannot be loaded in a clean process: {failed}",
            fix="Something that it needs is not where runs happen: a module, a file, or an environment variable.",
        )
    return monotonic() - begun


def clean_environment() -> dict[str, str]:
    """This process' environment variables without a notebook's own, for a process that writes UTF-8."""
    kept = {name: value for name, value in os.environ.items() if name not in NOTEBOOKS_OWN}
    return {**kept, "PYTHONIOENCODING": "utf-8"}


async def failure(executable: str, code: str, *words: str, folder: str) -> str | None:
    """Run code in a process of its own, without what only a notebook's kernel has in its environment.

    Args:
        executable: the interpreter.
        code: what it runs.
        words: its arguments.
        folder: where it runs.

    Returns:
        The last line that it wrote where it failed; None where it did not.
    """
    process = await asyncio.create_subprocess_exec(
        executable,
        "-c",
        code,
        *words,
        cwd=folder,
        env=clean_environment(),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    said = await _end_of(process)
    if not process.returncode:
        return None
    last = said.strip().splitlines()[-1:]
    return last[0] if last else f"the process ended with code {process.returncode}"


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
