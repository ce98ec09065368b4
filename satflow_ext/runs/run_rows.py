"""Conversion of Prefect's flow runs: with names for ids, the last log line, and the reason why a late run waits."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING
from uuid import UUID

from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowFilter,
    FlowFilterId,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import StateType as PrefectStateType
from pydantic import TypeAdapter

from satflow_ext.endpoints import LOCAL_POOL
from satflow_ext.errors import SettingsWrong
from satflow_ext.models import Run, StateType, WorkPool
from satflow_ext.runs.last_lines import last_lines
from satflow_ext.runs.late_reasons import PATIENCE, WAITING, Waiting, why_waiting
from satflow_ext.runs.work_pools import read_pools
from satflow_ext.settings import load_settings

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import FlowRun
    from prefect.client.schemas.responses import DeploymentResponse

STATE_TYPE: TypeAdapter[StateType] = TypeAdapter(StateType)
TERMINAL = frozenset({"COMPLETED", "FAILED", "CRASHED", "CANCELLED"})


@dataclass(frozen=True)
class Surroundings:
    """The related objects of flow runs in the Prefect API, by the ids and names in the runs."""

    deployments: dict[UUID, DeploymentResponse]
    flow_names: dict[UUID, str]
    last_lines: dict[UUID, str]
    pools: dict[str, WorkPool]
    active: int


async def described(client: PrefectClient, flow_runs: Sequence[FlowRun]) -> tuple[Run, ...]:
    """Convert flow runs to wire models, in the same order, with at most six requests for any number of runs.

    Args:
        client: an open Prefect client.
        flow_runs: at most 200 runs, the limit of one response of the API.
    """
    now = datetime.now(timezone.utc)
    around = await _surroundings(client, flow_runs, now)
    return tuple(_run(flow_run, around, now) for flow_run in flow_runs)


def state_type(flow_run: FlowRun) -> StateType:
    """Return the type of a run's state. A new run that has no state in Prefect yet counts as scheduled."""
    return STATE_TYPE.validate_python(flow_run.state_type.value) if flow_run.state_type else "SCHEDULED"


async def _surroundings(client: PrefectClient, flow_runs: Sequence[FlowRun], now: datetime) -> Surroundings:
    open_runs = [r.id for r in flow_runs if state_type(r) not in TERMINAL | {"SCHEDULED"}]
    late = [r for r in flow_runs if _late(r, now)]
    deployments, flow_names, lines, pools, active = await asyncio.gather(
        _deployments(client, {r.deployment_id for r in flow_runs if r.deployment_id}),
        _flow_names(client, {r.flow_id for r in flow_runs}),
        last_lines(client, open_runs),
        _pools(client, bool(late)),
        _active(client, any(r.work_pool_name == LOCAL_POOL for r in late)),
    )
    return Surroundings(deployments, flow_names, lines, pools, active)


def _late(flow_run: FlowRun, now: datetime) -> bool:
    expected = flow_run.expected_start_time
    return state_type(flow_run) in WAITING and expected is not None and now - expected >= PATIENCE


async def _deployments(client: PrefectClient, ids: set[UUID]) -> dict[UUID, DeploymentResponse]:
    if not ids:
        return {}
    found = await client.read_deployments(
        deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=sorted(ids))), limit=len(ids)
    )
    return {deployment.id: deployment for deployment in found}


async def _flow_names(client: PrefectClient, ids: set[UUID]) -> dict[UUID, str]:
    if not ids:
        return {}
    found = await client.read_flows(flow_filter=FlowFilter(id=FlowFilterId(any_=sorted(ids))), limit=len(ids))
    return {flow.id: flow.name for flow in found}


async def _pools(client: PrefectClient, wanted: bool) -> dict[str, WorkPool]:
    return {pool.name: pool for pool in await read_pools(client)} if wanted else {}


async def _active(client: PrefectClient, wanted: bool) -> int:
    """Count the runs that the local stack executes, up to the limit of one response of the API."""
    if not wanted:
        return 0
    types = [PrefectStateType.PENDING, PrefectStateType.RUNNING, PrefectStateType.CANCELLING]
    found = await client.read_flow_runs(
        flow_run_filter=FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=types))),
        work_pool_filter=WorkPoolFilter(name=WorkPoolFilterName(any_=[LOCAL_POOL])),
    )
    return len(found)


def _run_limit() -> int | None:
    try:
        return load_settings().run_limit
    except SettingsWrong:
        return None


def _run(flow_run: FlowRun, around: Surroundings, now: datetime) -> Run:
    deployment = around.deployments.get(flow_run.deployment_id) if flow_run.deployment_id else None
    return Run(
        id=str(flow_run.id),
        name=flow_run.name,
        deployment_id=str(flow_run.deployment_id) if flow_run.deployment_id else None,
        deployment_name=deployment.name if deployment else None,
        flow_name=around.flow_names.get(flow_run.flow_id, ""),
        state_type=state_type(flow_run),
        state_name=flow_run.state_name or "Scheduled",
        state_message=flow_run.state.message if flow_run.state else None,
        created=flow_run.created or now,
        expected_start=flow_run.expected_start_time,
        start=flow_run.start_time,
        end=flow_run.end_time,
        duration=flow_run.estimated_run_time.total_seconds(),
        parameters=flow_run.parameters,
        scheduled=bool(flow_run.auto_scheduled),
        last_line=around.last_lines.get(flow_run.id),
        why_waiting=why_waiting(_waiting(flow_run, deployment, around), now),
    )


def _waiting(flow_run: FlowRun, deployment: DeploymentResponse | None, around: Surroundings) -> Waiting:
    limit = deployment.global_concurrency_limit if deployment else None
    return Waiting(
        state_type=state_type(flow_run),
        state_name=flow_run.state_name or "",
        expected_start=flow_run.expected_start_time,
        deployment_name=deployment.name if deployment else None,
        slots=limit.limit if limit else None,
        pool_name=flow_run.work_pool_name,
        pool=around.pools.get(flow_run.work_pool_name) if flow_run.work_pool_name else None,
        active=around.active,
        run_limit=_run_limit() if around.active else None,
    )
