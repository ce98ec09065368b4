"""Executor `flow`: tasks run with the flow's own task runner, or with the equivalent executor if there is one."""

from __future__ import annotations

from satflow_ext.executors.executor import Executor, ExecutorOptions
from satflow_ext.models import FLOW_EXECUTOR
from satflow_ext.settings import Settings


class FlowTaskRunnerOptions(ExecutorOptions):
    """No options: the flow's task runner has its own."""


def keep_task_runner(options: FlowTaskRunnerOptions, settings: Settings) -> None:
    """Keep the flow's task runner."""


FLOW_TASK_RUNNER = Executor(
    name=FLOW_EXECUTOR,
    title="Flow's task runner",
    purpose="the task_runner of @flow, or threads",
    starts="depending on the task runner",
    options=FlowTaskRunnerOptions,
    create_task_runner=keep_task_runner,
)
