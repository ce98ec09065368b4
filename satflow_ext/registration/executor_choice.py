"""Resolve the executor of a registration from the user's choice and the task runner that the flow names."""

from __future__ import annotations

from satflow_ext import executors
from satflow_ext.errors import InvalidExecutorOption
from satflow_ext.models import FLOW_EXECUTOR, ExecutorChoice, Finding, FlowTaskRunner
from satflow_ext.settings import Settings

DEFAULT_EXECUTOR = ExecutorChoice(name="threads")
"""The executor that does the same as Prefect for a flow that names no task runner."""


def resolve_executor(
    choice: ExecutorChoice, task_runner: FlowTaskRunner | None, settings: Settings, *, local: bool
) -> ExecutorChoice:
    """Return the executor that tasks run on, with every option filled in.

    Args:
        choice: the user's choice. `FLOW_EXECUTOR` becomes the executor that does the same as the flow's task runner, and stays
            unchanged if there is none.
        task_runner: the task runner that the flow names.
        settings: worker sizes.
        local: whether runs happen on this machine.

    Raises:
        UnknownExecutor: there is no such executor; see `executors.validate` for further errors.
    """
    if choice.name == FLOW_EXECUTOR and not choice.options:
        same = (task_runner.executor if task_runner else DEFAULT_EXECUTOR) or choice
        try:
            return executors.validate_choice(same.model_copy(update={"from_flow": True}), settings, runs_locally=local)
        except InvalidExecutorOption:  # for example more threads than the executor provides
            return choice.model_copy(update={"from_flow": True})
    return executors.validate_choice(choice.model_copy(update={"from_flow": False}), settings, runs_locally=local)


def find_replaced_task_runner(
    executor: ExecutorChoice, task_runner: FlowTaskRunner | None, flow: str, settings: Settings
) -> tuple[Finding, ...]:
    """Return a warning if the executor replaces the flow's own task runner.

    Args:
        executor: the executor from `resolve_executor`.
        task_runner: the task runner that the flow names.
        flow: its variable or name.
        settings: worker sizes.
    """
    if task_runner is None or executor.from_flow:
        return ()
    same = resolve_executor(ExecutorChoice(), task_runner, settings, local=False)
    if (same.name, same.options) == (executor.name, executor.options):
        return ()
    chosen = f"{executor.name} ({executor.arguments})" if executor.arguments else executor.name
    return (
        Finding(
            kind="task runner",
            level="warning",
            where=flow,
            message=f"runs its tasks with the executor {chosen} instead of its own {task_runner.text}",
            fix=f"Choose the executor {FLOW_EXECUTOR!r} to keep the flow's task runner.",
        ),
    )
