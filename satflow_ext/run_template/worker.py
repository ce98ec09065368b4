"""A Prefect worker whose flow runs are forks of a template process: `prefect worker start --type satflow --pool POOL`.

It is Prefect's process worker, except for the command of runs with the worker's own interpreter. Their process asks the template
for a fork, and becomes an ordinary flow run without one.
"""

from __future__ import annotations

import os
import shlex
import sys
from typing import TYPE_CHECKING

from prefect.workers.process import ProcessJobConfiguration, ProcessWorker, ProcessWorkerResult

from satflow_ext.lease.start import RUN_TEMPLATE
from satflow_ext.run_template import start_run

if TYPE_CHECKING:
    import anyio.abc
    from prefect.client.schemas.objects import FlowRun

TYPE = "satflow"
"""Name of this worker type in Prefect."""


class SatflowWorker(ProcessWorker):
    """A process worker that forks flow runs."""

    type = TYPE
    _display_name = "SatFlow"
    _description = "Execute flow runs as processes of this machine. They start as forks of a process with warm imports."

    async def run(
        self,
        flow_run: FlowRun,
        configuration: ProcessJobConfiguration,
        task_status: anyio.abc.TaskStatus[int] | None = None,
    ) -> ProcessWorkerResult:
        """Run a flow run, and return its result when it has ended."""
        changed = configuration.model_copy(update={"command": choose_command(configuration.command)})
        return await super().run(flow_run, changed, task_status)


def choose_command(command: str | None) -> str | None:
    """Return the command that requests a fork, if this command runs Prefect's engine with this interpreter."""
    socket = os.environ.get(RUN_TEMPLATE)
    if socket is None or command is None or shlex.split(command) != [sys.executable, "-m", "prefect.engine"]:
        return command
    return shlex.join([sys.executable, "-I", "-S", start_run.__file__, socket])
