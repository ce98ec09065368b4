"""A real load of a flow's pickle in a clean process: what the flow run will do first, before anything is sent."""

from __future__ import annotations

import tempfile
from pathlib import Path
from time import monotonic

from satflow_ext.errors import CannotPickle
from satflow_ext.models import PackedFlow
from satflow_ext.registration.clean_process import Finished, ProcessStopped, run_code

LOADS = "import sys, cloudpickle; cloudpickle.load(open(sys.argv[1], 'rb'))"
LONGEST = 120.0
"""Seconds that a load may take."""


async def rehearse(packed: PackedFlow, executable: str, *, limit: float = LONGEST) -> float:
    """Load the pickle in an empty folder and a process of its own.

    Args:
        packed: the flow.
        executable: the Python that loads it, of the same minor version as the one that packed it.
        limit: seconds that it may take.

    Returns:
        How long that took, in seconds.

    Raises:
        CannotPickle: it cannot be loaded there, took too long or was killed.
    """
    begun = monotonic()
    body = Path(packed.body).resolve()
    # Beside the body: who made that folder takes it away, also after this process was killed.
    with tempfile.TemporaryDirectory(dir=body.parent) as folder:
        try:
            done = await run_code(executable, LOADS, str(body), folder=folder, limit=limit)
        except ProcessStopped as stopped:
            raise CannotPickle(
                f"The clean process that loads the flow did not finish: {stopped.why}", fix=stopped.fix
            ) from None
    if done.code:
        raise CannotPickle(f"The flow cannot be loaded in a clean process: {done.reason}", fix=_fix(done))
    return monotonic() - begun


def _fix(done: Finished) -> str:
    if done.lacks_module:
        return "Install the module where runs happen; one of your own travels if its file is next to the notebook."
    return "Something that it needs is not where runs happen, such as a file or an environment variable."
