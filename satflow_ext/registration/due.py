"""Which shared clusters are to be started now, because a scheduled run comes soon and wants to find its cluster warm."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from satflow_ext.endpoints import Endpoints
from satflow_ext.executors.dask_cluster_options import LONGEST_PREWARM
from satflow_ext.keys import trusted
from satflow_ext.prefect_api import prefect_client
from satflow_ext.registration import deployments
from satflow_ext.registration.manifest import Manifest
from satflow_ext.registration.prewarm import seconds
from satflow_ext.registration.registrar import manifest_of
from satflow_ext.settings import Settings

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.filters import FlowRunFilter

LATE = timedelta(seconds=60)
"""A run that should have started longer ago starts its cluster itself."""
RUNS = 200
"""Scheduled runs that are looked at, the next ones first: Prefect plans a hundred of each schedule."""


@dataclass(frozen=True)
class Due:
    """A scheduled run whose cluster should be starting by now."""

    run_id: UUID
    deployment_id: str
    deployment_name: str


async def due(endpoints: Endpoints, settings: Settings, now: datetime) -> tuple[Due, ...]:
    """The next run of each deployment that wants its cluster ahead, where that time has come.

    Raises:
        PrefectFailed: the API did not answer.
    """
    async with prefect_client(endpoints.prefect) as client:
        nearest = await _nearest(client, now)
        found = [
            Due(run_id, str(deployment_id), manifest.full_name)
            for deployment_id, (run_id, starts) in nearest.items()
            if (manifest := await _manifest(client, deployment_id, endpoints, settings))
            and starts - timedelta(seconds=seconds(manifest)) <= now
        ]
    return tuple(found)


async def is_wanted(endpoints: Endpoints) -> bool:
    """Whether any deployment wants its cluster ahead of scheduled runs.

    Raises:
        PrefectFailed: the API did not answer.
    """
    listed = await deployments.list_all(endpoints)
    return any(each.executor and each.executor.options.get("prewarm") for each in listed)


async def _nearest(client: PrefectClient, now: datetime) -> dict[UUID, tuple[UUID, datetime]]:
    """Deployment → the next scheduled run of it, and when that starts."""
    from prefect.client.schemas.sorting import FlowRunSort

    sort = FlowRunSort.EXPECTED_START_TIME_ASC
    runs = await client.read_flow_runs(flow_run_filter=_soon(now), sort=sort, limit=RUNS)
    nearest: dict[UUID, tuple[UUID, datetime]] = {}
    for run in runs:
        if run.deployment_id is not None and run.expected_start_time is not None:
            nearest.setdefault(run.deployment_id, (run.id, run.expected_start_time))
    return nearest


def _soon(now: datetime) -> FlowRunFilter:
    from prefect.client.schemas.filters import (
        FlowRunFilter,
        FlowRunFilterExpectedStartTime,
        FlowRunFilterState,
        FlowRunFilterStateType,
    )
    from prefect.client.schemas.objects import StateType

    return FlowRunFilter(
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED])),
        expected_start_time=FlowRunFilterExpectedStartTime(
            after_=now - LATE, before_=now + timedelta(seconds=LONGEST_PREWARM)
        ),
    )


async def _manifest(
    client: PrefectClient, deployment_id: UUID, endpoints: Endpoints, settings: Settings
) -> Manifest | None:
    """The version that the run is of; None where nobody can tell, or it is none of ours."""
    row, _ = await deployments.read_row(client, str(deployment_id))
    found = await manifest_of(row, endpoints, trusted(settings))
    return found if isinstance(found, Manifest) else None
