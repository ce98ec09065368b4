"""The processes of flow runs of the local stack, which are forks of its template or interpreters of their own."""

from __future__ import annotations

import psutil

from satflow_ext.fork_requests.child_process import PROCESS_NAME
from satflow_ext.run_template.fork import SHOWN_ID_LENGTH
from satflow_ext.runtime.this_run import RUN_ID


def is_flow_run(process: psutil.Process) -> bool:
    """Whether this process executes a flow run, and does not only wait for the fork that does."""
    return process.name().startswith("run ") or "prefect.engine" in process.cmdline()


def is_process_of_run(process: psutil.Process) -> bool:
    """Whether this process was started by a flow run, as a fork or a new interpreter."""
    return process.name() == PROCESS_NAME or "multiprocessing.spawn" in " ".join(process.cmdline())


def executes(process: psutil.Process, run_id: str) -> bool:
    """Whether this process executes that flow run."""
    if process.name() == f"run {run_id[:SHOWN_ID_LENGTH]}":
        return True
    return "prefect.engine" in process.cmdline() and process.environ().get(RUN_ID) == run_id


def process_of_run(run_id: str) -> psutil.Process:
    """The one process that executes that flow run."""
    found = []
    for process in psutil.process_iter():
        try:
            if executes(process, run_id):
                found.append(process)
        except psutil.Error:
            continue
    (one,) = found
    return one
