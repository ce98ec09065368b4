"""The details of one run."""

from __future__ import annotations

import asyncio
from datetime import datetime, timezone
from typing import TYPE_CHECKING
from uuid import UUID

from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    FlowRunFilter,
    FlowRunFilterId,
    LogFilter,
    LogFilterFlowRunId,
    LogFilterLevel,
)
from prefect.client.schemas.sorting import LogSort, TaskRunSort

from satflow_ext.endpoints import PrefectApi
from satflow_ext.models import Artifact, Failure, Run, RunDetail
from satflow_ext.prefect_api import prefect_client
from satflow_ext.runs.failure import find_failure
from satflow_ext.runs.run_lookup import find_run
from satflow_ext.runs.run_rows import describe_runs
from satflow_ext.runs.task_runs import convert_task_run, is_settled

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import TaskRun as PrefectTaskRun

PAGE_SIZE = 200
MAX_TASK_RUNS = 2_000
"""Maximum number of task runs; the newest ones are returned."""
MAX_ERROR_LINES = 50
"""Number of the newest log lines with level ERROR that are searched for the traceback."""


async def read_run_detail(prefect_api: PrefectApi, run_id: str) -> RunDetail:
    """Read a run with its task runs, its artifacts and, if it failed, the cause.

    Raises:
        RunNotFound: Prefect has no flow run with that id.
        PrefectFailed: the API did not answer.
    """
    async with prefect_client(prefect_api) as client:
        flow_run = await find_run(client, run_id)
        (run,) = await describe_runs(client, [flow_run])
        task_runs, artifacts, why = await asyncio.gather(
            _read_task_runs(client, flow_run.id),
            _read_artifacts(client, flow_run.id),
            _read_failure(client, flow_run.id, run),
        )
    now = datetime.now(timezone.utc)
    tasks = tuple(convert_task_run(row, run, now) for row in task_runs)
    return RunDetail(run=run, tasks=tasks, failure=why, artifacts=artifacts, settled=is_settled(run, now))


async def _read_task_runs(client: PrefectClient, flow_run_id: UUID) -> list[PrefectTaskRun]:
    """Read the newest task runs; return them oldest first."""
    rows: list[PrefectTaskRun] = []
    wanted = FlowRunFilter(id=FlowRunFilterId(any_=[flow_run_id]))
    while len(rows) < MAX_TASK_RUNS:
        page = await client.read_task_runs(
            flow_run_filter=wanted, sort=TaskRunSort.EXPECTED_START_TIME_DESC, limit=PAGE_SIZE, offset=len(rows)
        )
        rows += page
        if len(page) < PAGE_SIZE:
            break
    # A task run that starts between two pages shifts the others by one, so that one may occur twice.
    return list({row.id: row for row in reversed(rows)}.values())


async def _read_artifacts(client: PrefectClient, flow_run_id: UUID) -> tuple[Artifact, ...]:
    wanted = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[flow_run_id]))
    found = await client.read_artifacts(artifact_filter=wanted)
    return tuple(
        Artifact(id=str(row.id), key=row.key, type=row.type, description=row.description, data=row.data)
        for row in found
        # Prefect records the location of a result as an artifact without a type; artifacts of users have one.
        if row.type not in (None, "result")
    )


async def _read_failure(client: PrefectClient, flow_run_id: UUID, run: Run) -> Failure | None:
    if run.state_type not in ("FAILED", "CRASHED"):
        return None
    wanted = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[flow_run_id]), level=LogFilterLevel(ge_=40))
    errors = await client.read_logs(wanted, limit=MAX_ERROR_LINES, sort=LogSort.TIMESTAMP_DESC)
    return find_failure([log.message for log in errors], run.state_message)
