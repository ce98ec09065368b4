"""Tasks run as the flow's own task runner says: by the executor that does the same, else by the task runner itself."""

from __future__ import annotations

from satflow_ext.executors.base import Executor, Options
from satflow_ext.models import AS_FLOW_SAYS
from satflow_ext.settings import Settings


class FlowTaskRunnerOptions(Options):
    """The flow's own task runner has its own."""


def keep_task_runner(options: FlowTaskRunnerOptions, settings: Settings) -> None:
    """Leave the task runner of the flow in its place."""


FLOW_TASK_RUNNER = Executor(
    name=AS_FLOW_SAYS,
    title="As the flow says",
    purpose="the task runner that @flow names, or threads",
    starts="as that does",
    options=FlowTaskRunnerOptions,
    task_runner=keep_task_runner,
)
