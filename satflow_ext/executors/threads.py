"""Executor `threads`: tasks run in threads of the flow run, with no startup time and little parallelism."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from satflow_ext.executors.executor import Executor, ExecutorOptions
from satflow_ext.settings import Settings

if TYPE_CHECKING:
    from prefect.task_runners import TaskRunner


class ThreadsOptions(ExecutorOptions):
    """The number of tasks that run at once."""

    max_workers: int | None = Field(None, ge=1, le=1024, title="Threads", description="Default: Prefect's default.")


def create_task_runner(options: ThreadsOptions, settings: Settings) -> TaskRunner[Any]:
    """Create Prefect's thread pool."""
    from prefect.task_runners import ThreadPoolTaskRunner

    return ThreadPoolTaskRunner(max_workers=options.max_workers)


THREADS = Executor(
    name="threads",
    title="Threads",
    purpose="little parallelism, or tasks that wait for the network",
    starts="at once",
    options=ThreadsOptions,
    create_task_runner=create_task_runner,
)
