"""Resolve the executor of a registration from the user's choice and the task runner that the flow names."""

from __future__ import annotations

from satflow_ext import executors
from satflow_ext.errors import InvalidExecutorOption
from satflow_ext.models import AS_FLOW_SAYS, ExecutorChoice, Finding, FlowTaskRunner
from satflow_ext.settings import Settings

DEFAULT = ExecutorChoice(name="threads")
"""What Prefect does for a flow that names no task runner."""


def resolve_executor(
    choice: ExecutorChoice, task_runner: FlowTaskRunner | None, settings: Settings, *, local: bool
) -> ExecutorChoice:
    """Return the executor that tasks run on, with every option filled in.

    Args:
        choice: of the user. `AS_FLOW_SAYS` becomes the executor that does what the flow's task runner does, and stays where none
            does.
        task_runner: that the flow names.
        settings: worker sizes.
        local: whether runs happen on this machine.

    Raises:
        UnknownExecutor: and what else `executors.validate` raises.
    """
    if choice.name == AS_FLOW_SAYS and not choice.options:
        same = (task_runner.executor if task_runner else DEFAULT) or choice
        try:
            return executors.validate(same.model_copy(update={"from_flow": True}), settings, here=local)
        except InvalidExecutorOption:  # more threads, say, than the executor gives
            return choice.model_copy(update={"from_flow": True})
    return executors.validate(choice.model_copy(update={"from_flow": False}), settings, here=local)


def find_replaced_task_runner(
    executor: ExecutorChoice, task_runner: FlowTaskRunner | None, flow: str, settings: Settings
) -> tuple[Finding, ...]:
    """Return a warning where the flow's own task runner gives way to the executor.

    Args:
        executor: as `resolve_executor` gave it.
        task_runner: that the flow names.
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
            message=f"runs its tasks by the executor {chosen} instead of its own {task_runner.text}",
            fix=f"Choose the executor {AS_FLOW_SAYS!r} to keep the flow's own.",
        ),
    )
