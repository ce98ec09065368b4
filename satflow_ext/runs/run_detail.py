"""The details of one run."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Sequence
from datetime import datetime, timezone
from uuid import UUID

from satflow_ext.endpoints import PrefectApi
from satflow_ext.models import Artifact, Failure, JsonObject, Run, RunDetail
from satflow_ext.prefect_api import PrefectClient, prefect_client
from satflow_ext.prefect_rows import LogRow, TaskRunRow
from satflow_ext.runs.failure import find_failure
from satflow_ext.runs.run_lookup import find_run
from satflow_ext.runs.run_rows import describe_runs, is_settled

MAX_ERROR_LINES = 50
"""Number of the newest log lines with level ERROR that are searched for the traceback."""
MAX_INPUTS = 200
"""Maximum number of task runs whose names are read because a failed task run received their results."""
FAILURE_STATES = ("FAILED", "CRASHED")


async def read_run_detail(prefect_api: PrefectApi, run_id: str) -> RunDetail:
    """Read a run with its artifacts and, if it failed, the cause.

    Raises:
        RunNotFound: Prefect has no flow run with that id.
        PrefectFailed: the API did not answer.
    """
    async with prefect_client(prefect_api) as client:
        flow_run = await find_run(client, run_id)
        (run,) = await describe_runs(client, [flow_run])
        artifacts, failure = await asyncio.gather(
            _read_artifacts(client, flow_run.id), _read_failure(client, flow_run.id, run)
        )
    settled = is_settled(flow_run, datetime.now(timezone.utc))
    return RunDetail(run=run, failure=failure, artifacts=artifacts, settled=settled)


async def _read_artifacts(client: PrefectClient, flow_run_id: UUID) -> tuple[Artifact, ...]:
    found = await client.read_artifacts(flow_run_id)
    return tuple(
        Artifact(id=str(row.id), key=row.key, type=row.type, description=row.description, data=row.data)
        for row in found
        # Prefect records the location of a result as an artifact without a type; artifacts of users have one.
        if row.type not in (None, "result")
    )


async def _read_failure(client: PrefectClient, flow_run_id: UUID, run: Run) -> Failure | None:
    if run.state_type not in FAILURE_STATES:
        return None
    log_filter: JsonObject = {"flow_run_id": {"any_": [str(flow_run_id)]}, "level": {"ge_": logging.ERROR}}
    errors = await client.read_logs(log_filter, limit=MAX_ERROR_LINES, sort="TIMESTAMP_DESC")
    task_runs = await _read_task_runs_of_errors(client, errors)
    # In a thread, because a traceback may have a megabyte.
    return await asyncio.to_thread(find_failure, errors, run.state_message, task_runs)


async def _read_task_runs_of_errors(client: PrefectClient, errors: Sequence[LogRow]) -> list[TaskRunRow]:
    """Read the task runs that logged the errors, and those whose results they received."""
    failed = await _read_task_runs(client, {each.task_run_id for each in errors if each.task_run_id})
    inputs = [each for row in failed for values in row.task_inputs.values() for each in values]
    sources = dict.fromkeys(each.id for each in inputs if each.input_type == "task_run" and each.id)
    return failed + await _read_task_runs(client, list(sources)[:MAX_INPUTS])


async def _read_task_runs(client: PrefectClient, ids: Collection[UUID]) -> list[TaskRunRow]:
    if not ids:
        return []
    return await client.read_task_runs({"id": {"any_": [str(each) for each in ids]}}, limit=len(ids))
