"""Plan, start, continue, repair and cancel run groups."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timezone

from satflow_ext.endpoints import PrefectApi
from satflow_ext.errors import RunGroupTaken
from satflow_ext.models import (
    FAILED_POINTS,
    MISSING_POINTS,
    Deployment,
    JsonObject,
    PointChoice,
    PointState,
    RunGroup,
    RunGroupPlan,
    RunGroupRequest,
)
from satflow_ext.prefect_api import prefect_client
from satflow_ext.run_groups.database import GroupDatabase, GroupRow, NewPoint, new_group_id
from satflow_ext.run_groups.points import Points, check_number, make_points
from satflow_ext.run_groups.submission import refresh_points

FIRST_POINTS = 5
"""Number of points that a plan contains."""


@dataclass(frozen=True)
class Selection:
    """The points of a request that would run: new ones, and digests of those that run again."""

    points: Points
    new: tuple[NewPoint, ...]
    again: tuple[str, ...]
    row: GroupRow
    exists: bool

    def describe(self) -> RunGroupPlan:
        """Return the selection as a plan."""
        chosen = self._list_chosen()
        return RunGroupPlan(
            name=self.row.name,
            deployment_name=self.row.deployment_name,
            flow_name=self.row.flow_name,
            points=len(self.points.by_digest),
            duplicates=self.points.duplicates,
            runs=len(chosen),
            first=tuple(chosen[:FIRST_POINTS]),
            exists=self.exists,
        )

    def _list_chosen(self) -> list[JsonObject]:
        """Return the parameters of the points that would run, in the order of their start."""
        selected = {*self.again, *(each.digest for each in self.new)}
        ordered = [parameters for digest, parameters in self.points.by_digest.items() if digest in selected]
        return ordered[::-1] if self.row.newest_first else ordered


async def select_points(database: GroupDatabase, request: RunGroupRequest, deployment: Deployment) -> Selection:
    """Determine the points of a request that would run. Nothing is changed.

    Raises:
        InvalidParameter: a point is not valid.
        ParametersTooLarge: there are too many points, or one is too large.
        RunGroupTaken: the group of that name belongs to another deployment.
        RunGroupsFailed: the database cannot be read.
    """
    return await asyncio.to_thread(_select_points, database, request, deployment)


async def start_group(database: GroupDatabase, selection: Selection) -> str:
    """Store a selection, whose points are then submitted, and return the id of the group.

    Raises:
        RunGroupsFailed: the database cannot be written; nothing was started.
    """
    if not selection.exists:
        return await asyncio.to_thread(database.create_group, selection.row, selection.new)
    await asyncio.to_thread(database.extend_group, selection.row, selection.new, selection.again)
    return selection.row.id


async def refresh_group(
    database: GroupDatabase, prefect_api: PrefectApi, group: RunGroup, *, live_only: bool
) -> RunGroup:
    """Read the states of a group's runs from Prefect.

    Args:
        database: the groups.
        prefect_api: the API that has the runs.
        group: the group.
        live_only: read only runs that had not ended. The others change only if they are retried or deleted in Prefect.

    Raises:
        PrefectFailed: the API did not answer.
    """
    points = await asyncio.to_thread(database.list_submitted, group.id, live_only=live_only)
    if not points:
        return group
    async with prefect_client(prefect_api) as client:
        await refresh_points(database, client, group.id, points)
    return await asyncio.to_thread(database.read_group, group.id)


def _select_points(database: GroupDatabase, request: RunGroupRequest, deployment: Deployment) -> Selection:
    points = make_points(request, deployment.parameters, deployment.parameter_schema)
    existing = database.find_row(request.name) if request.name else None
    row = _make_row(request, deployment, points, existing)
    states = database.read_states(existing.id) if existing else {}
    new = tuple(NewPoint(digest, each) for digest, each in points.by_digest.items() if digest not in states)
    check_number(len(states) + len(new))
    states_to_run = _states_to_run(request.only)
    again = tuple(digest for digest in points.by_digest if states.get(digest) in states_to_run)
    return Selection(points, new, again, row, existing is not None)


def _states_to_run(choice: PointChoice) -> frozenset[PointState]:
    """Return the states of the points of a group that run again. Points that wait or run are never among them."""
    if choice == "all":
        return frozenset({*MISSING_POINTS, *FAILED_POINTS, "COMPLETED"})
    return frozenset({*MISSING_POINTS, *FAILED_POINTS} if choice == "failed" else MISSING_POINTS)


def _make_row(request: RunGroupRequest, deployment: Deployment, points: Points, existing: GroupRow | None) -> GroupRow:
    full_name = (deployment.flow_name, deployment.name)
    if existing and (existing.flow_name, existing.deployment_name) != full_name:
        raise RunGroupTaken(
            f"Run group {request.name!r} belongs to deployment {existing.flow_name}/{existing.deployment_name}.",
            fix="Choose another name.",
            field="name",
        )
    now = datetime.now(timezone.utc)
    return GroupRow(
        id=existing.id if existing else new_group_id(),
        name=request.name or f"{deployment.name} {now.astimezone():%Y-%m-%d %H:%M:%S}.{now.microsecond // 1000:03}",
        flow_name=deployment.flow_name,
        deployment_name=deployment.name,
        deployment_id=deployment.id,
        created=existing.created if existing else now.isoformat(),
        concurrency=request.concurrency,
        newest_first=request.newest_first,
        varied=tuple(dict.fromkeys((*(existing.varied if existing else ()), *points.varied))),
        status="active",
        problem=None,
    )
