"""Find the shared clusters that have to be started now, because a scheduled run that uses them starts soon."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from satflow_ext.endpoints import Endpoints, PrefectApi
from satflow_ext.prefect_api import prefect_client
from satflow_ext.registration import deployments
from satflow_ext.registration.prewarm_request import prewarm_seconds

if TYPE_CHECKING:
    from prefect.client.schemas.filters import FlowRunFilter

MAX_DELAY = timedelta(seconds=60)
"""Maximum age of a scheduled start. A run that is later starts its cluster itself."""
MAX_RUNS = 200
"""Maximum number of scheduled runs that are read, the next ones first: Prefect creates a hundred for each schedule."""


@dataclass(frozen=True)
class PrewarmRequest:
    """A deployment's request for prewarming.

    Args:
        name: `flow/deployment`.
        ahead: how long before a scheduled run its cluster is started.
    """

    name: str
    ahead: timedelta


@dataclass(frozen=True)
class DueStart:
    """A scheduled run whose cluster has to be started now."""

    run_id: UUID
    deployment_id: UUID
    deployment_name: str


async def list_prewarm_requests(endpoints: Endpoints) -> dict[UUID, PrewarmRequest]:
    """Return the prewarming requests of deployments, by deployment id.

    Raises:
        PrefectFailed: the API did not answer.
    """
    listed = await deployments.list_deployments(endpoints)
    return {
        UUID(each.id): PrewarmRequest(f"{each.flow_name}/{each.name}", timedelta(seconds=ahead))
        for each in listed
        if each.executor and (ahead := prewarm_seconds(each.executor))
    }


async def find_due_starts(
    api: PrefectApi, requests: Mapping[UUID, PrewarmRequest], now: datetime
) -> tuple[DueStart, ...]:
    """Return the scheduled runs whose clusters have to be started now.

    Raises:
        PrefectFailed: the API did not answer.
    """
    from prefect.client.schemas.sorting import FlowRunSort

    async with prefect_client(api) as client:
        sort = FlowRunSort.EXPECTED_START_TIME_ASC
        runs = await client.read_flow_runs(
            flow_run_filter=_upcoming_runs_filter(requests, now), sort=sort, limit=MAX_RUNS
        )
    nearest = {run.deployment_id: run for run in reversed(runs)}
    return tuple(
        DueStart(run.id, deployment_id, requests[deployment_id].name)
        for deployment_id, run in nearest.items()
        if deployment_id is not None
        and run.expected_start_time is not None
        and run.expected_start_time - requests[deployment_id].ahead <= now
    )


def _upcoming_runs_filter(requests: Mapping[UUID, PrewarmRequest], now: datetime) -> FlowRunFilter:
    from prefect.client.schemas.filters import (
        FlowRunFilter,
        FlowRunFilterDeploymentId,
        FlowRunFilterExpectedStartTime,
        FlowRunFilterState,
        FlowRunFilterStateType,
    )
    from prefect.client.schemas.objects import StateType

    return FlowRunFilter(
        deployment_id=FlowRunFilterDeploymentId(any_=[*requests]),
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED])),
        expected_start_time=FlowRunFilterExpectedStartTime(
            after_=now - MAX_DELAY, before_=now + max(each.ahead for each in requests.values())
        ),
    )
