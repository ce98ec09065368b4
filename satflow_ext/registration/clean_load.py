"""A real load of a flow's pickle in a clean process: the first step of a flow run, tested before anything is sent."""

from __future__ import annotations

import tempfile
from pathlib import Path
from time import monotonic

from satflow_ext.errors import CannotPickle
from satflow_ext.models import PackedFlow
from satflow_ext.registration.clean_process import FinishedProcess, ProcessStopped, run_code

LOAD_CODE = "import sys, cloudpickle; cloudpickle.load(open(sys.argv[1], 'rb'))"
MAX_LOAD_SECONDS = 120.0
"""Maximum time of a load in seconds."""


async def load_in_clean_process(packed: PackedFlow, executable: str, *, limit: float = MAX_LOAD_SECONDS) -> float:
    """Load the pickle in a separate process with an empty working folder.

    Args:
        packed: the flow.
        executable: the Python that loads it, of the same minor version as the one that packed it.
        limit: maximum time in seconds.

    Returns:
        Duration of the load in seconds.

    Raises:
        CannotPickle: the load failed, took too long or was killed.
    """
    begun = monotonic()
    body = Path(packed.body).resolve()
    # Next to the pickle file: the process that created its folder deletes it, even if this process was killed.
    with tempfile.TemporaryDirectory(dir=body.parent) as folder:
        try:
            done = await run_code(executable, LOAD_CODE, str(body), folder=folder, limit=limit)
        except ProcessStopped as stopped:
            raise CannotPickle(
                f"The clean process that loads the flow did not finish: {stopped.reason}", fix=stopped.fix
            ) from None
    if done.code:
        raise CannotPickle(f"The flow cannot be loaded in a clean process: {done.reason}", fix=_suggest_fix(done))
    return monotonic() - begun


def _suggest_fix(done: FinishedProcess) -> str:
    if done.lacks_module:
        return (
            "Install the module where flow runs execute. Your own module is packed if its file is next to the notebook."
        )
    return "Provide what the flow needs where flow runs execute, such as a file or an environment variable."
