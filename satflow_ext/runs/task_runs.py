"""Conversion of Prefect's task runs, and detection of interrupted ones."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from satflow_ext.models import Run, TaskRun
from satflow_ext.runs.run_rows import STATE_TYPE_ADAPTER, TERMINAL_STATES

if TYPE_CHECKING:
    from prefect.client.schemas.objects import TaskRun as PrefectTaskRun

FAILURE_LAG = timedelta(seconds=15)
SUCCESS_LAG = timedelta(minutes=2)
"""How long Prefect's rows of task runs may lag behind their flow run (169 of 1,500 did after 40 s).

After a success no task was interrupted and all rows catch up; after a failure those of a dead process never do.
"""


def convert_task_run(row: PrefectTaskRun, run: Run, now: datetime) -> TaskRun:
    """Convert a task run.

    Args:
        row: the task run from Prefect.
        run: its flow run.
        now: the current time, timezone-aware.
    """
    state = STATE_TYPE_ADAPTER.validate_python(row.state_type.value if row.state_type else "PENDING")
    return TaskRun(
        id=str(row.id),
        name=row.name,
        task=_parse_task_name(row.task_key),
        state_type=state,
        state_name=row.state_name or state.capitalize(),
        start=row.start_time,
        end=row.end_time,
        duration=row.estimated_run_time.total_seconds(),
        interrupted=is_interrupted(state, run, now),
    )


def is_interrupted(state_type: str, run: Run, now: datetime) -> bool:
    """Return whether an unfinished task run will never finish, because its flow run is over."""
    return state_type not in TERMINAL_STATES and run.end is not None and is_settled(run, now)


def is_settled(run: Run, now: datetime) -> bool:
    """Return whether a flow run ended long enough ago that Prefect has recorded all of its task runs."""
    if run.state_type not in TERMINAL_STATES:
        return False
    return run.end is None or now - run.end > (SUCCESS_LAG if run.state_type == "COMPLETED" else FAILURE_LAG)


def _parse_task_name(task_key: str) -> str:
    """Return the function's name from Prefect's key: the qualified name, a dash, and a hash of the source."""
    return task_key.rpartition("-")[0].rpartition(".")[2] or task_key
