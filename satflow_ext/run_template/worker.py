"""A Prefect worker whose flow runs are forks of a template process: `prefect worker start --type satflow --pool POOL`.

It is Prefect's process worker, except for the command of runs with the worker's own interpreter. Their process asks the template
for a fork, and becomes an ordinary flow run without one.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prefect.workers.process import ProcessJobConfiguration, ProcessWorker, ProcessWorkerResult

from satflow_ext.run_template import start_run, template_process
from satflow_ext.run_template.template_process import TemplateProcess
from satflow_ext.versions.pin import pin_of

if TYPE_CHECKING:
    import anyio.abc
    from prefect.client.schemas.objects import FlowRun
    from prefect.client.schemas.responses import DeploymentResponse

ENGINE_COMMAND = [sys.executable, "-m", "prefect.engine"]
"""Runs Prefect's engine with this interpreter."""


class SatflowJobConfiguration(ProcessJobConfiguration):
    """The configuration of a run: without a command, flows that SatFlow registered are run by Prefect's engine alone.

    Prefect's process worker fetches such a flow in a process of its own first. SatFlow's pull step does not need that.
    """

    def prepare_for_flow_run(
        self, flow_run: FlowRun, deployment: DeploymentResponse | None = None, *arguments: Any, **options: Any
    ) -> None:
        """Choose the command."""
        if self.command is None and deployment is not None and pin_of(deployment) is not None:
            self.command = shlex.join(ENGINE_COMMAND)
        super().prepare_for_flow_run(flow_run, deployment, *arguments, **options)


class SatflowWorker(ProcessWorker):
    """A process worker that forks flow runs."""

    type = "satflow"
    _display_name = "SatFlow"
    _description = (
        "Execute flow runs as processes on a worker. They are forks of a process that has already imported Prefect."
    )
    job_configuration = SatflowJobConfiguration
    _template: TemplateProcess | None = None

    async def setup(self) -> None:
        """Start the template as well."""
        await super().setup()
        if template_process.is_supported():
            self._template = TemplateProcess()

    async def teardown(self, *exc_info: Any) -> None:
        """End the template as well; flow runs go on."""
        if self._template is not None:
            self._template.close()
            self._template = None
        await super().teardown(*exc_info)

    async def run(
        self,
        flow_run: FlowRun,
        configuration: ProcessJobConfiguration,
        task_status: anyio.abc.TaskStatus[int] | None = None,
    ) -> ProcessWorkerResult:
        """Run a flow run, and return its result when it has ended."""
        if self._template is not None and configuration.command is not None:
            command = choose_command(configuration.command, self._template.restart_if_ended())
            configuration = configuration.model_copy(update={"command": command})
        return await super().run(flow_run, configuration, task_status)


def choose_command(command: str, socket: Path) -> str:
    """Return the command that requests a fork, if this command runs Prefect's engine with this interpreter.

    Args:
        command: command of the flow run.
        socket: path of the template's socket.
    """
    if shlex.split(command) != ENGINE_COMMAND:
        return command
    return shlex.join([sys.executable, "-I", "-S", start_run.__file__, str(socket)])
