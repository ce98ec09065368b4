"""Tasks run in processes of the flow run: for CPU-bound work on one machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from satflow_ext.executors.base import Executor, Options
from satflow_ext.settings import Settings
from satflow_ext.telling import guard

if TYPE_CHECKING:
    from prefect.task_runners import TaskRunner


class ProcessesOptions(Options):
    """How many processes there are."""

    max_workers: int | None = Field(None, ge=1, le=256, title="Processes", description="Empty: one for each core.")


def task_runner(options: ProcessesOptions, settings: Settings) -> TaskRunner[Any]:
    """Prefect's own process pool."""
    from prefect.task_runners import ProcessPoolTaskRunner

    if guard.needed():
        return ProcessPoolTaskRunner(max_workers=options.max_workers, initializer=guard.guard)
    return ProcessPoolTaskRunner(max_workers=options.max_workers)


PROCESSES = Executor(
    name="processes",
    title="Processes",
    purpose="CPU-bound tasks on one machine",
    starts="in seconds",
    options=ProcessesOptions,
    task_runner=task_runner,
)
