"""The details of one run."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Sequence
from datetime import datetime, timezone
from uuid import UUID

from satflow_ext.endpoints import PrefectApi
from satflow_ext.models import Artifact, Failure, JsonObject, Run, RunDetail, RunLink, RunOrigin
from satflow_ext.prefect_api import PrefectClient, prefect_client
from satflow_ext.prefect_rows import FlowRunRow, LogRow, TaskRunRow
from satflow_ext.runs.failure import find_failure
from satflow_ext.runs.input_labels import read_kept_inputs
from satflow_ext.runs.run_lookup import find_run
from satflow_ext.runs.run_rows import convert_states, describe_runs, is_settled, read_flow_names

MAX_ERROR_LINES = 50
"""Number of the newest log lines with level ERROR that are searched for the traceback."""
MAX_INPUTS = 200
"""Maximum number of task runs whose names are read because a failed task run received their results."""
MAX_DEPTH = 20
"""Maximum number of levels of nested flow runs above and below a run that are read."""
MAX_NESTED_RUNS = 199
"""Maximum number of nested flow runs whose artifacts are read: with the run itself, the limit of one response of the API."""
MAX_ARTIFACTS = 200
"""Maximum number of artifacts; the newest ones are returned."""
FAILURE_STATES = ("FAILED", "CRASHED")


async def read_run_detail(prefect_api: PrefectApi, run_id: str) -> RunDetail:
    """Read a run with its parents, its artifacts and those of its nested runs, its states and, if it failed, the cause.

    Raises:
        RunNotFound: Prefect has no flow run with that id.
        PrefectFailed: the API did not answer.
    """
    async with prefect_client(prefect_api) as client:
        flow_run = await find_run(client, run_id)
        (run,) = await describe_runs(client, [flow_run])
        parents, artifacts, states, job_variables, failure = await asyncio.gather(
            _read_parents(client, flow_run),
            _read_artifacts(client, flow_run.id),
            client.read_flow_run_states(flow_run.id),
            _read_job_variables(client, flow_run),
            _read_failure(client, flow_run, run),
        )
    return RunDetail(
        run=run,
        parents=parents,
        failure=failure,
        artifacts=artifacts,
        states=convert_states(states),
        origin=_describe_origin(flow_run),
        job_variables=job_variables,
        settled=is_settled(flow_run, datetime.now(timezone.utc)),
    )


def _describe_origin(flow_run: FlowRunRow) -> RunOrigin:
    if flow_run.parent_task_run_id is not None:
        return RunOrigin(kind="flow", name=None)
    creator = flow_run.created_by
    if creator and creator.type == "AUTOMATION":
        return RunOrigin(kind="automation", name=creator.display_value)
    if flow_run.auto_scheduled:
        return RunOrigin(kind="schedule", name=creator.display_value if creator else None)
    return RunOrigin(kind="user", name=None)


async def _read_parents(client: PrefectClient, flow_run: FlowRunRow) -> tuple[RunLink, ...]:
    """Read the flow runs that contain a run, the outermost first. A parent that was deleted ends the chain."""
    parents: list[FlowRunRow] = []
    parent = await _read_parent(client, flow_run)
    while parent is not None and len(parents) < MAX_DEPTH:
        parents.insert(0, parent)
        parent = await _read_parent(client, parent)
    return tuple(await _link_runs(client, parents))


async def _read_parent(client: PrefectClient, flow_run: FlowRunRow) -> FlowRunRow | None:
    if flow_run.parent_task_run_id is None:
        return None
    task_runs = await _read_task_runs(client, [flow_run.parent_task_run_id])
    ids = [str(each.flow_run_id) for each in task_runs if each.flow_run_id]
    return next(iter(await client.read_flow_runs({"id": {"any_": [*ids]}})), None) if ids else None


async def _link_runs(client: PrefectClient, flow_runs: Sequence[FlowRunRow]) -> list[RunLink]:
    names = await read_flow_names(client, {each.flow_id for each in flow_runs})
    return [RunLink(id=str(each.id), name=each.name, flow_name=names.get(each.flow_id, "")) for each in flow_runs]


async def _read_artifacts(client: PrefectClient, flow_run_id: UUID) -> tuple[Artifact, ...]:
    nested_runs = await _read_nested_runs(client, flow_run_id)
    links = {link.id: link for link in await _link_runs(client, nested_runs)}
    found = await client.read_artifacts([flow_run_id, *(each.id for each in nested_runs)], limit=MAX_ARTIFACTS)
    return tuple(
        Artifact(
            id=str(row.id),
            nested_run=links.get(str(row.flow_run_id)),
            key=row.key,
            type=row.type,
            description=row.description,
            data=row.data,
        )
        for row in reversed(found)
    )


async def _read_nested_runs(client: PrefectClient, flow_run_id: UUID) -> list[FlowRunRow]:
    """Read the flow runs that a run contains, at all levels; the outer ones and those that started first come first."""
    found: list[FlowRunRow] = []
    level = [flow_run_id]
    for _ in range(MAX_DEPTH):
        if not level or len(found) >= MAX_NESTED_RUNS:
            break
        nested: JsonObject = {"parent_flow_run_id": {"any_": [str(each) for each in level]}}
        limit = MAX_NESTED_RUNS - len(found)
        rows = await client.read_flow_runs(nested, sort="EXPECTED_START_TIME_ASC", limit=limit)
        found += rows
        level = [row.id for row in rows]
    return found


async def _read_job_variables(client: PrefectClient, flow_run: FlowRunRow) -> JsonObject:
    ids = [flow_run.deployment_id] if flow_run.deployment_id else []
    deployments = await client.read_deployments(ids, limit=1) if ids else []
    of_deployment = deployments[0].job_variables if deployments else None
    return {**(of_deployment or {}), **(flow_run.job_variables or {})}


async def _read_failure(client: PrefectClient, flow_run: FlowRunRow, run: Run) -> Failure | None:
    if run.state_type not in FAILURE_STATES:
        return None
    log_filter: JsonObject = {"flow_run_id": {"any_": [str(flow_run.id)]}, "level": {"ge_": logging.ERROR}}
    errors = await client.read_logs(log_filter, limit=MAX_ERROR_LINES, sort="TIMESTAMP_DESC")
    task_runs = await _read_task_runs_of_errors(client, errors)
    kept = read_kept_inputs(flow_run.labels)
    # In a thread, because a traceback may have a megabyte.
    return await asyncio.to_thread(find_failure, errors, run.state_message, task_runs, kept)


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
