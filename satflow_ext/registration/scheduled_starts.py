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
from satflow_ext.registration.prewarm_request import seconds

if TYPE_CHECKING:
    from prefect.client.schemas.filters import FlowRunFilter

LATE = timedelta(seconds=60)
"""Maximum age of a scheduled start. A run that is later starts its cluster itself."""
RUNS = 200
"""Maximum number of scheduled runs that are read, the next ones first: Prefect creates a hundred for each schedule."""


@dataclass(frozen=True)
class Wish:
    """A deployment's request for prewarming.

    Args:
        name: `flow/deployment`.
        ahead: how long before a scheduled run its cluster is started.
    """

    name: str
    ahead: timedelta


@dataclass(frozen=True)
class Due:
    """A scheduled run whose cluster has to be started now."""

    run_id: UUID
    deployment_id: UUID
    deployment_name: str


async def wishes(endpoints: Endpoints) -> dict[UUID, Wish]:
    """Return the prewarming requests of deployments, by deployment id.

    Raises:
        PrefectFailed: the API did not answer.
    """
    listed = await deployments.list_all(endpoints)
    return {
        UUID(each.id): Wish(f"{each.flow_name}/{each.name}", timedelta(seconds=ahead))
        for each in listed
        if each.executor and (ahead := seconds(each.executor))
    }


async def due(api: PrefectApi, wanted: Mapping[UUID, Wish], now: datetime) -> tuple[Due, ...]:
    """Return the scheduled runs whose clusters have to be started now.

    Raises:
        PrefectFailed: the API did not answer.
    """
    from prefect.client.schemas.sorting import FlowRunSort

    async with prefect_client(api) as client:
        sort = FlowRunSort.EXPECTED_START_TIME_ASC
        runs = await client.read_flow_runs(flow_run_filter=_soon(wanted, now), sort=sort, limit=RUNS)
    nearest = {run.deployment_id: run for run in reversed(runs)}
    return tuple(
        Due(run.id, deployment_id, wanted[deployment_id].name)
        for deployment_id, run in nearest.items()
        if deployment_id is not None
        and run.expected_start_time is not None
        and run.expected_start_time - wanted[deployment_id].ahead <= now
    )


def _soon(wanted: Mapping[UUID, Wish], now: datetime) -> FlowRunFilter:
    from prefect.client.schemas.filters import (
        FlowRunFilter,
        FlowRunFilterDeploymentId,
        FlowRunFilterExpectedStartTime,
        FlowRunFilterState,
        FlowRunFilterStateType,
    )
    from prefect.client.schemas.objects import StateType

    return FlowRunFilter(
        deployment_id=FlowRunFilterDeploymentId(any_=[*wanted]),
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED])),
        expected_start_time=FlowRunFilterExpectedStartTime(
            after_=now - LATE, before_=now + max(each.ahead for each in wanted.values())
        ),
    )
