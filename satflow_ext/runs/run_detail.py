"""The details of one run."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta, timezone
from uuid import UUID

from satflow_ext.endpoints import PrefectApi
from satflow_ext.models import TERMINAL_STATES, Artifact, JsonObject, Run, RunDetail, TaskRun
from satflow_ext.prefect_api import PrefectClient, prefect_client
from satflow_ext.prefect_rows import LogRow, TaskRunRow
from satflow_ext.runs.failure import find_failure
from satflow_ext.runs.input_labels import read_kept_inputs, read_version
from satflow_ext.runs.run_lookup import find_run
from satflow_ext.runs.run_rows import describe_runs

PAGE_SIZE = 200
MAX_TASK_RUNS = 2_000
"""Maximum number of task runs; the newest ones are returned."""
MAX_ERROR_LINES = 50
"""Number of the newest log lines with level ERROR that are searched for the traceback."""
FAILURE_STATES = ("FAILED", "CRASHED")


async def read_run_detail(prefect_api: PrefectApi, run_id: str) -> RunDetail:
    """Read a run with its task runs, its artifacts and, if it failed, the cause.

    Raises:
        RunNotFound: Prefect has no flow run with that id.
        PrefectFailed: the API did not answer.
    """
    async with prefect_client(prefect_api) as client:
        flow_run = await find_run(client, run_id)
        (run,) = await describe_runs(client, [flow_run])
        task_runs, artifacts, errors = await asyncio.gather(
            _read_task_runs(client, flow_run.id),
            _read_artifacts(client, flow_run.id),
            _read_errors(client, flow_run.id) if run.state_type in FAILURE_STATES else _no_errors(),
        )
    failure = None
    if run.state_type in FAILURE_STATES:  # in a thread, because a traceback may have a megabyte
        kept = read_kept_inputs(flow_run.labels)
        failure = await asyncio.to_thread(find_failure, errors, run.state_message, task_runs, kept)
    now = datetime.now(timezone.utc)
    tasks = tuple(convert_task_run(row, run, now) for row in task_runs)
    return RunDetail(
        run=run,
        version=read_version(flow_run.labels),
        tasks=tasks,
        failure=failure,
        artifacts=artifacts,
        settled=is_settled(run, now),
    )


async def _read_task_runs(client: PrefectClient, flow_run_id: UUID) -> list[TaskRunRow]:
    """Read the newest task runs; return them oldest first."""
    rows: list[TaskRunRow] = []
    while len(rows) < MAX_TASK_RUNS:
        page = await client.read_task_runs(flow_run_id, limit=PAGE_SIZE, offset=len(rows))
        rows += page
        if len(page) < PAGE_SIZE:
            break
    # A task run that starts between two pages shifts the others by one, so that one may occur twice.
    return list({row.id: row for row in reversed(rows)}.values())


async def _read_artifacts(client: PrefectClient, flow_run_id: UUID) -> tuple[Artifact, ...]:
    found = await client.read_artifacts(flow_run_id)
    return tuple(
        Artifact(id=str(row.id), key=row.key, type=row.type, description=row.description, data=row.data)
        for row in found
        # Prefect records the location of a result as an artifact without a type; artifacts of users have one.
        if row.type not in (None, "result")
    )


async def _read_errors(client: PrefectClient, flow_run_id: UUID) -> list[LogRow]:
    log_filter: JsonObject = {"flow_run_id": {"any_": [str(flow_run_id)]}, "level": {"ge_": logging.ERROR}}
    return await client.read_logs(log_filter, limit=MAX_ERROR_LINES, sort="TIMESTAMP_DESC")


async def _no_errors() -> list[LogRow]:
    return []


FAILURE_LAG = timedelta(seconds=15)
SUCCESS_LAG = timedelta(minutes=2)
"""How long Prefect's rows of task runs may lag behind their flow run (169 of 1,500 did after 40 s).

After a success no task was interrupted and all rows catch up; after a failure those of a dead process never do.
"""


def convert_task_run(row: TaskRunRow, run: Run, now: datetime) -> TaskRun:
    """Convert a task run.

    Args:
        row: the task run from Prefect.
        run: its flow run.
        now: the current time, timezone-aware.
    """
    state = row.state_type or "PENDING"
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
