"""Prefect's task runs in our words, and which of them were cut off."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from satflow_ext.models import Run, TaskRun
from satflow_ext.runs.run_rows import STATE_TYPE, TERMINAL

if TYPE_CHECKING:
    from prefect.client.schemas.objects import TaskRun as PrefectTaskRun

LAG = timedelta(seconds=15)
LAG_AFTER_SUCCESS = timedelta(minutes=2)
"""How long Prefect's rows of task runs may trail behind their flow run (169 of 1,500 did after 40 s).

After a success nothing was cut off and all will catch up; after a failure the tasks of a dead process never do.
"""


def task_run(row: PrefectTaskRun, run: Run, now: datetime) -> TaskRun:
    """One task run.

    Args:
        row: as Prefect has it.
        run: its flow run.
        now: aware.
    """
    state = STATE_TYPE.validate_python(row.state_type.value if row.state_type else "PENDING")
    return TaskRun(
        id=str(row.id),
        name=row.name,
        task=_task_name(row.task_key),
        state_type=state,
        state_name=row.state_name or state.capitalize(),
        start=row.start_time,
        end=row.end_time,
        duration=row.estimated_run_time.total_seconds(),
        interrupted=interrupted(state, run, now),
    )


def interrupted(state_type: str, run: Run, now: datetime) -> bool:
    """Whether a task run that Prefect calls unfinished will never be finished, because its flow run is over."""
    return state_type not in TERMINAL and run.end is not None and settled(run, now)


def settled(run: Run, now: datetime) -> bool:
    """Whether a flow run is over, and for so long that Prefect has recorded all of its task runs."""
    if run.state_type not in TERMINAL:
        return False
    return run.end is None or now - run.end > (LAG_AFTER_SUCCESS if run.state_type == "COMPLETED" else LAG)


def _task_name(task_key: str) -> str:
    """Prefect's key is the function's qualified name and a hash of its source, with a dash between."""
    return task_key.rpartition("-")[0].rpartition(".")[2] or task_key
