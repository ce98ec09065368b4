"""Executor `processes`: tasks run in processes of the flow run, for CPU-bound work on one machine."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from pydantic import Field

from satflow_ext.cell_lines import CellLines, register_cell_lines
from satflow_ext.exception_pickling import make_state_picklable
from satflow_ext.executors.executor import Executor, ExecutorOptions
from satflow_ext.fork_requests import child_process
from satflow_ext.redaction import guard
from satflow_ext.redaction.encodable import make_messages_encodable
from satflow_ext.redaction.policy import shareable_cells
from satflow_ext.run_logs.failed_inputs import record_failed_inputs
from satflow_ext.settings import Settings

if TYPE_CHECKING:
    from prefect.task_runners import TaskRunner


class ProcessesOptions(ExecutorOptions):
    """The number of processes."""

    max_workers: int | None = Field(None, ge=1, le=256, title="Processes", description="Default: one for each core.")


def create_task_runner(options: ProcessesOptions, settings: Settings) -> TaskRunner[Any]:
    """Create Prefect's process pool, whose processes are forks if possible, and make exceptions readable for the flow run."""
    from prefect.task_runners import ProcessPoolTaskRunner

    child_process.fork_spawned_processes(child_process.RUN_SOCKET)
    return ProcessPoolTaskRunner(
        max_workers=options.max_workers,
        initializer=prepare_process,
        initargs=(guard.is_redaction_needed(), shareable_cells()),
    )


def prepare_process(guarded: bool, cells: CellLines) -> None:
    """Prepare a process of the pool, before its first task.

    Args:
        guarded: whether the redaction guard is installed, as in the flow run.
        cells: the cells whose lines tracebacks show.
    """
    from prefect import task_runners

    if guarded:
        guard.enable_redaction()
    make_messages_encodable()
    register_cell_lines(cells)
    record_failed_inputs()
    run = task_runners._run_task_in_subprocess

    @wraps(run)
    def run_readably(*args: Any, **kwargs: Any) -> Any:
        return make_state_picklable(run(*args, **kwargs))

    task_runners._run_task_in_subprocess = (
        run_readably  # the flow run sends the function's name, which resolves to this one
    )


PROCESSES = Executor(
    name="processes",
    title="Processes",
    purpose="CPU-bound tasks on one machine",
    starts="in seconds",
    options=ProcessesOptions,
    create_task_runner=create_task_runner,
)
