"""Flow runs as users see them: lists of them, and the details of one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta, timezone
from uuid import UUID

from satflow_ext.endpoints import PrefectApi
from satflow_ext.errors import DeploymentNotFound
from satflow_ext.models import (
    TERMINAL_STATES,
    Artifact,
    Failure,
    JsonObject,
    RecentRun,
    RecentRuns,
    RecentRunsRequest,
    Run,
    RunDetail,
    RunLink,
    RunOrigin,
    RunQuery,
)
from satflow_ext.prefect_api import PrefectClient, parse_id, prefect_client
from satflow_ext.prefect_rows import FlowRunRow, LogRow, TaskRunRow
from satflow_ext.runs.failure import find_failure
from satflow_ext.runs.input_labels import read_kept_inputs
from satflow_ext.runs.run_lookup import find_run
from satflow_ext.runs.run_rows import convert_states, describe_runs, is_settled, read_flow_names, read_state_type

RECENT_RUNS = 14
"""Number of runs whose states are shown for a deployment."""
PARALLEL_REQUESTS = 4
"""Number of requests for recent runs at the same time: others must not wait for them."""
CLOCK_SKEW = timedelta(minutes=1)
"""How far the Prefect server's clock may be ahead of ours before its newest runs are treated as scheduled ones."""

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


async def list_runs(prefect_api: PrefectApi, query: RunQuery) -> tuple[Run, ...]:
    """List flow runs, newest first. Future scheduled runs are left out unless `state_type` is "SCHEDULED".

    Subflow runs are left out, because they are part of their parents.

    Raises:
        PrefectFailed: the API did not answer.
    """
    upcoming = query.state_type == "SCHEDULED"
    # Of the scheduled runs, the next ones are requested, and there may be more than `limit`.
    sort = "EXPECTED_START_TIME_ASC" if upcoming else "EXPECTED_START_TIME_DESC"
    async with prefect_client(prefect_api) as client:
        found = await client.read_flow_runs(_make_filter(query), sort=sort, limit=query.limit, offset=query.offset)
        return await describe_runs(client, found[::-1] if upcoming else found)


async def list_recent_runs(prefect_api: PrefectApi, request: RecentRunsRequest) -> RecentRuns:
    """List the last runs of several deployments, with a request for each.

    Raises:
        DeploymentNotFound: the text is not a valid id.
        PrefectFailed: the API did not answer.
    """
    slots = asyncio.Semaphore(PARALLEL_REQUESTS)
    async with prefect_client(prefect_api) as client:

        async def read(deployment_id: str) -> tuple[RecentRun, ...]:
            query = RunQuery(deployment_id=deployment_id, limit=RECENT_RUNS)
            async with slots:
                found = await client.read_flow_runs(
                    _make_filter(query), sort="EXPECTED_START_TIME_DESC", limit=query.limit
                )
            return tuple(map(_convert_recent_run, found))

        ids = [*dict.fromkeys(request.deployment_ids)]
        return RecentRuns(runs=dict(zip(ids, await asyncio.gather(*map(read, ids)), strict=True)))


def _convert_recent_run(row: FlowRunRow) -> RecentRun:
    return RecentRun(
        id=str(row.id),
        name=row.name,
        state_type=read_state_type(row),
        state_name=row.state_name or "Scheduled",
        start=row.start_time or row.expected_start_time,
    )


async def read_run(prefect_api: PrefectApi, run_id: str) -> Run:
    """Read one flow run.

    Raises:
        RunNotFound: Prefect has no flow run with that id.
        PrefectFailed: the API did not answer.
    """
    async with prefect_client(prefect_api) as client:
        (run,) = await describe_runs(client, [await find_run(client, run_id)])
    return run


async def read_named_run(prefect_api: PrefectApi, name: str) -> Run | None:
    """Read the newest flow run of that name; None if there is none. Prefect's own names are rarely repeated.

    Raises:
        PrefectFailed: the API did not answer.
    """
    named: JsonObject = {"name": {"any_": [name]}}
    async with prefect_client(prefect_api) as client:
        found = await client.read_flow_runs(named, sort="EXPECTED_START_TIME_DESC", limit=1)
        return next(iter(await describe_runs(client, found)), None)


def _make_filter(query: RunQuery) -> JsonObject:
    run_filter: JsonObject = {"parent_task_run_id": {"is_null_": True}}
    if query.deployment_id is not None:
        missing = DeploymentNotFound(f"No deployment has the id {query.deployment_id!r}.", field="deployment_id")
        run_filter["deployment_id"] = {"any_": [str(parse_id(query.deployment_id, missing))]}
    if query.name:
        run_filter["name"] = {"like_": query.name}
    if query.tag:
        run_filter["tags"] = {"all_": [query.tag]}
    states: JsonObject = {}
    if query.state_type is not None:
        states["any_"] = [query.state_type]
    if query.active:
        states["not_any_"] = [*sorted(TERMINAL_STATES)]
    if states:
        run_filter["state"] = {"type": states}
    until = query.until
    if query.state_type != "SCHEDULED":
        now = datetime.now(timezone.utc) + CLOCK_SKEW
        until = min(until, now) if until else now
    times = {"after_": query.since, "before_": until}
    run_filter["expected_start_time"] = {name: time.isoformat() for name, time in times.items() if time is not None}
    return run_filter


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
