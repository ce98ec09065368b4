"""The list of flow runs."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from satflow_ext.endpoints import PrefectApi
from satflow_ext.errors import DeploymentNotFound
from satflow_ext.models import TERMINAL_STATES, JsonObject, Run, RunQuery
from satflow_ext.prefect_api import parse_id, prefect_client
from satflow_ext.runs.run_lookup import find_run
from satflow_ext.runs.run_rows import describe_runs

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
    states: JsonObject = {}
    if query.state_type is not None:
        states["any_"] = [query.state_type]
    if query.active:
        states["not_any_"] = [*sorted(TERMINAL_STATES)]
    if states:
        run_filter["state"] = {"type": states}
    if query.state_type != "SCHEDULED":
        run_filter["expected_start_time"] = {"before_": (datetime.now(timezone.utc) + CLOCK_SKEW).isoformat()}
    return run_filter
