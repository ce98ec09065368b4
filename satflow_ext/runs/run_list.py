"""The list of flow runs."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone

from satflow_ext.endpoints import PrefectApi
from satflow_ext.errors import DeploymentNotFound
from satflow_ext.models import TERMINAL_STATES, JsonObject, RecentRun, RecentRuns, RecentRunsRequest, Run, RunQuery
from satflow_ext.prefect_api import parse_id, prefect_client
from satflow_ext.prefect_rows import FlowRunRow
from satflow_ext.runs.run_lookup import find_run
from satflow_ext.runs.run_rows import describe_runs, read_state_type

RECENT_RUNS = 14
"""Number of runs whose states are shown for a deployment."""
PARALLEL_REQUESTS = 4
"""Number of requests for recent runs at the same time: others must not wait for them."""
CLOCK_SKEW = timedelta(minutes=1)
"""How far the Prefect server's clock may be ahead of ours before its newest runs are treated as scheduled ones."""


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
