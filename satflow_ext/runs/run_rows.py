"""Conversion of Prefect's flow runs: with names for ids, the last log line, and the reason why a late run waits."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from uuid import UUID

from satflow_ext.endpoints import LOCAL_POOL, NOTEBOOK_TAG
from satflow_ext.errors import SettingsWrong
from satflow_ext.models import TERMINAL_STATES, JsonObject, Run, StateChange, StateType, WorkPool
from satflow_ext.prefect_api import PrefectClient
from satflow_ext.prefect_rows import DeploymentRow, FlowRunRow, LogRow, StateHistoryRow
from satflow_ext.runs.input_labels import read_version
from satflow_ext.runs.work_pools import read_work_pools
from satflow_ext.settings import load_settings

PAGE_SIZE = 200
"""Maximum number of log lines in one response of the API."""
INDIVIDUAL_QUERIES = 20
"""Number of runs that are queried individually: Prefect's index finds one row, but a page of several runs sorts all lines."""
MAX_LINE_LENGTH = 500
"""Maximum number of characters of a line in a row."""
LATE_AFTER = timedelta(seconds=3)
"""Delay of a run before a reason is given: a polling Prefect worker needs that long under normal conditions."""
WAITING_STATES = frozenset({"SCHEDULED", "PENDING"})
FAILURE_LAG = timedelta(seconds=15)
SUCCESS_LAG = timedelta(minutes=2)
"""How long Prefect's rows of task runs may lag behind their flow run (169 of 1,500 did after 40 s).

After a success no task was interrupted and all rows catch up; after a failure those of a dead process never do.
"""


@dataclass(frozen=True)
class RelatedObjects:
    """The related objects of flow runs in the Prefect API, by the ids and names in the runs."""

    deployments: dict[UUID, DeploymentRow]
    flow_names: dict[UUID, str]
    last_lines: dict[UUID, str]
    pools: dict[str, WorkPool]
    active: int


async def describe_runs(client: PrefectClient, flow_runs: Sequence[FlowRunRow]) -> tuple[Run, ...]:
    """Convert flow runs to wire models, in the same order, with at most six requests for any number of runs.

    Args:
        client: an open Prefect client.
        flow_runs: at most 200 runs, the limit of one response of the API.
    """
    now = datetime.now(timezone.utc)
    around = await _read_related_objects(client, flow_runs, now)
    return tuple(_convert_run(flow_run, around, now) for flow_run in flow_runs)


def read_state_type(flow_run: FlowRunRow) -> StateType:
    """Return the type of a run's state. A new run that has no state in Prefect yet counts as scheduled."""
    return flow_run.state_type or "SCHEDULED"


def is_in_kernel(flow_run: FlowRunRow) -> bool:
    """Return whether a kernel executes the run, because its flow was called in a cell."""
    return flow_run.deployment_id is None and NOTEBOOK_TAG in flow_run.tags


def is_settled(flow_run: FlowRunRow, now: datetime) -> bool:
    """Return whether a flow run ended long enough ago that Prefect has recorded all of its task runs."""
    state_type, end = read_state_type(flow_run), flow_run.end_time
    if state_type not in TERMINAL_STATES:
        return False
    return end is None or now - end > (SUCCESS_LAG if state_type == "COMPLETED" else FAILURE_LAG)


def convert_states(rows: Iterable[StateHistoryRow]) -> tuple[StateChange, ...]:
    """Convert the states of a run or task run, oldest first."""
    return tuple(
        StateChange(type=row.type, name=row.name or row.type.capitalize(), time=row.timestamp, message=row.message)
        for row in sorted(rows, key=lambda row: row.timestamp)
    )


async def _read_related_objects(
    client: PrefectClient, flow_runs: Sequence[FlowRunRow], now: datetime
) -> RelatedObjects:
    open_runs = [r.id for r in flow_runs if read_state_type(r) not in TERMINAL_STATES | {"SCHEDULED"}]
    late = [r for r in flow_runs if _is_late(r, now)]
    deployments, flow_names, lines, pools, active = await asyncio.gather(
        _read_deployments(client, {r.deployment_id for r in flow_runs if r.deployment_id}),
        read_flow_names(client, {r.flow_id for r in flow_runs}),
        read_last_lines(client, open_runs),
        _read_needed_pools(client, bool(late)),
        _count_active_runs(client, any(r.work_pool_name == LOCAL_POOL for r in late)),
    )
    return RelatedObjects(deployments, flow_names, lines, pools, active)


def _is_late(flow_run: FlowRunRow, now: datetime) -> bool:
    expected = flow_run.expected_start_time
    return read_state_type(flow_run) in WAITING_STATES and expected is not None and now - expected >= LATE_AFTER


async def _read_deployments(client: PrefectClient, ids: set[UUID]) -> dict[UUID, DeploymentRow]:
    if not ids:
        return {}
    return {deployment.id: deployment for deployment in await client.read_deployments([*ids], limit=len(ids))}


async def read_flow_names(client: PrefectClient, ids: set[UUID]) -> dict[UUID, str]:
    """Read the names of at most 200 flows, by their ids."""
    if not ids:
        return {}
    return {flow.id: flow.name for flow in await client.read_flows([*ids])}


async def _read_needed_pools(client: PrefectClient, needed: bool) -> dict[str, WorkPool]:
    return {pool.name: pool for pool in await read_work_pools(client)} if needed else {}


async def _count_active_runs(client: PrefectClient, needed: bool) -> int:
    """Count the runs that the local stack executes, up to the limit of one response of the API."""
    if not needed:
        return 0
    active: JsonObject = {"state": {"type": {"any_": ["PENDING", "RUNNING", "CANCELLING"]}}}
    return len(await client.read_flow_runs(active, work_pool=LOCAL_POOL))


def _read_run_limit() -> int | None:
    try:
        return load_settings().run_limit
    except SettingsWrong:
        return None


def _convert_run(flow_run: FlowRunRow, related: RelatedObjects, now: datetime) -> Run:
    deployment = related.deployments.get(flow_run.deployment_id) if flow_run.deployment_id else None
    return Run(
        id=str(flow_run.id),
        name=flow_run.name,
        deployment_id=str(flow_run.deployment_id) if flow_run.deployment_id else None,
        deployment_name=deployment.name if deployment else None,
        flow_name=related.flow_names.get(flow_run.flow_id, ""),
        state_type=read_state_type(flow_run),
        state_name=flow_run.state_name or "Scheduled",
        state_message=flow_run.state.message if flow_run.state else None,
        created=flow_run.created or now,
        expected_start=flow_run.expected_start_time,
        start=flow_run.start_time,
        end=flow_run.end_time,
        duration=flow_run.estimated_run_time.total_seconds(),
        parameters=flow_run.parameters,
        tags=tuple(flow_run.tags),
        scheduled=bool(flow_run.auto_scheduled),
        in_kernel=is_in_kernel(flow_run),
        version=read_version(flow_run.labels),
        last_line=related.last_lines.get(flow_run.id),
        why_waiting=explain_waiting(_make_waiting_run(flow_run, deployment, related), now),
    )


def _make_waiting_run(flow_run: FlowRunRow, deployment: DeploymentRow | None, related: RelatedObjects) -> WaitingRun:
    limit = deployment.global_concurrency_limit if deployment else None
    return WaitingRun(
        state_type=read_state_type(flow_run),
        state_name=flow_run.state_name or "",
        expected_start=flow_run.expected_start_time,
        deployment_name=deployment.name if deployment else None,
        slots=limit.limit if limit else None,
        pool_name=flow_run.work_pool_name,
        pool=related.pools.get(flow_run.work_pool_name) if flow_run.work_pool_name else None,
        active=related.active,
        run_limit=_read_run_limit() if related.active else None,
    )


async def read_last_lines(client: PrefectClient, run_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Read the newest line of each run that has one.

    Args:
        client: an open Prefect client.
        run_ids: the runs that have not ended.
    """
    singly = run_ids[:INDIVIDUAL_QUERIES]
    lines: dict[UUID, str] = {}
    for found in await asyncio.gather(*[_read_newest(client, [run_id], 1) for run_id in singly]):
        lines |= _pick_first_of_each(found)
    if rest := run_ids[INDIVIDUAL_QUERIES:]:
        lines |= _pick_first_of_each(await _read_newest(client, rest, PAGE_SIZE))
    return lines


async def _read_newest(client: PrefectClient, run_ids: Sequence[UUID], limit: int) -> list[LogRow]:
    log_filter: JsonObject = {"flow_run_id": {"any_": [str(run_id) for run_id in run_ids]}}
    return await client.read_logs(log_filter, limit=limit, sort="TIMESTAMP_DESC")


def _pick_first_of_each(newest_first: Sequence[LogRow]) -> dict[UUID, str]:
    lines: dict[UUID, str] = {}
    for log in newest_first:
        if log.flow_run_id is not None:
            lines.setdefault(log.flow_run_id, log.message[:MAX_LINE_LENGTH])
    return lines


@dataclass(frozen=True)
class WaitingRun:
    """The data about a run that has not started.

    `slots` is the concurrency limit of its deployment, `pool_name` the work pool of the run, and `pool` the current state of that
    pool (None if it no longer exists). `active` is the number of runs that the local stack executes now, and `run_limit` the
    number that it executes at a time.
    """

    state_type: str
    state_name: str
    expected_start: datetime | None
    deployment_name: str | None
    slots: int | None
    pool_name: str | None
    pool: WorkPool | None
    active: int = 0
    run_limit: int | None = None


def explain_waiting(run: WaitingRun, now: datetime) -> str | None:
    """Return the reason as a sentence, None if the run is not late or no cause is visible."""
    if run.state_type not in WAITING_STATES or run.expected_start is None or now - run.expected_start < LATE_AFTER:
        return None
    if run.state_name == "AwaitingConcurrencySlot":
        return _explain_slots(run)
    if run.pool_name is None:
        return f"Deployment {run.deployment_name!r} has no work pool, so no Prefect worker starts its runs."
    return _explain_pool(run.pool_name, run.pool) or _explain_local_limit(run)


def _explain_slots(run: WaitingRun) -> str:
    limit = "its limit" if run.slots is None else f"{run.slots}"
    return f"Deployment {run.deployment_name!r} runs at most {limit} at a time; this one starts when another has ended."


def _explain_local_limit(run: WaitingRun) -> str | None:
    if run.pool_name != LOCAL_POOL or run.run_limit is None or run.active < run.run_limit:
        return None
    return (
        f"The local stack executes at most {run.run_limit} runs at a time (SATFLOW_RUN_LIMIT); "
        "this one starts when another has ended."
    )


def _explain_pool(name: str, pool: WorkPool | None) -> str | None:
    if pool is None:
        return f"Work pool {name!r} no longer exists. Register the flow again with another one."
    if pool.paused:
        return f"Work pool {name!r} is paused. Resume it: prefect work-pool resume {shlex.quote(name)}"
    if pool.online_workers == 0:
        command = "satflow up" if name == LOCAL_POOL else f"prefect worker start --pool {shlex.quote(name)}"
        return f"No Prefect worker polls work pool {name!r}. Start one: {command}"
    return None
