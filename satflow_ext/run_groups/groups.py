"""Run groups: plan, start, continue and repair them, and submit their runs.

The submission keeps as many runs of each group in Prefect as its concurrency allows, until all have ended. At most that many runs
of a group exist that have not ended. So its order is that of the points, and its waiting runs do not fill Prefect's queue, which
starves other runs with about 200 waiting ones.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING
from uuid import UUID

import httpx

from satflow_ext.disk_room import check_free_space
from satflow_ext.endpoints import PrefectApi
from satflow_ext.errors import DeploymentNotFound, InvalidParameter, ParametersTooLarge, RunGroupTaken, SatflowError
from satflow_ext.models import (
    FAILED_POINTS,
    LIVE_POINTS,
    MISSING_POINTS,
    Deployment,
    JsonObject,
    PointChoice,
    PointState,
    RunGroup,
    RunGroupPlan,
    RunGroupRequest,
    RunPoint,
)
from satflow_ext.parameter_values.text import value_text
from satflow_ext.prefect_api import PrefectClient, prefect_client, replace_not_found
from satflow_ext.prefect_api.api_errors import read_detail
from satflow_ext.prefect_rows import DeploymentRow, FlowRunRow
from satflow_ext.run_groups.database import GroupDatabase, GroupRow, NewPoint, new_group_id
from satflow_ext.runs.failure import PREFECT_PREFIX
from satflow_ext.runs.run_rows import read_state_type
from satflow_ext.runs.run_start import check_parameters
from satflow_ext.settings import Settings

if TYPE_CHECKING:
    from satflow_ext.run_groups.points import Points

FIRST_POINTS = 5
"""Number of points that a plan contains."""

STEP_PAUSE = 1.0
"""Seconds between two steps, each with one request for each active group and one for each new run."""
MAX_PAUSE = 30.0
"""Longest seconds until the next attempt while the Prefect API does not answer."""
PAGE_SIZE = 200
"""Maximum number of runs in one response of the API."""
MAX_NAME_LENGTH = 150
"""Maximum number of characters in the name of a run."""
REFUSALS = frozenset({httpx.codes.BAD_REQUEST, httpx.codes.CONFLICT, httpx.codes.UNPROCESSABLE_ENTITY})
"""Status codes of replies with which Prefect refuses one run; other failures concern the API or the deployment."""

logger = logging.getLogger("satflow_ext.run_groups")


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


async def submit_until_done(
    database: GroupDatabase, locate_api: Callable[[], Awaitable[PrefectApi]], settings: Settings
) -> None:
    """Submit all active groups until none is left, unless another process does. Failures of the API are retried.

    Args:
        database: the groups of one Prefect API.
        locate_api: returns the Prefect API, whose credential may change.
        settings: define the folders whose free space is checked before runs on this machine.
    """
    pause = STEP_PAUSE
    while await asyncio.to_thread(database.has_pending):
        try:
            await advance_groups(database, await locate_api(), settings)
            pause = STEP_PAUSE
        except SatflowError as error:
            logger.warning("Run groups wait: %s", error)
            pause = min(2 * pause, MAX_PAUSE)
        await asyncio.sleep(pause)


async def advance_groups(database: GroupDatabase, prefect_api: PrefectApi, settings: Settings) -> bool:
    """Read the states of all runs that have not ended, and submit the next ones.

    Returns:
        False if another process does this now, and this one did nothing.

    Raises:
        SatflowError: the API did not answer, or a disk of this machine is full. The database contains the reason.
    """
    lock = await asyncio.to_thread(database.take_submission_lock)
    if lock is None:
        return False
    with lock:
        try:
            await _advance_all(database, prefect_api, settings)
        except SatflowError as error:
            await asyncio.to_thread(database.set_problem, str(error))
            raise
    return True


async def refresh_points(
    database: GroupDatabase, client: PrefectClient, group_id: str, points: Sequence[RunPoint]
) -> list[RunPoint]:
    """Read the states of the points' runs from Prefect, record the changed ones, and return all of them."""
    current: list[RunPoint] = []
    for start in range(0, len(points), PAGE_SIZE):
        page = points[start : start + PAGE_SIZE]
        found = await client.read_flow_runs({"id": {"any_": [str(each.run_id) for each in page]}}, limit=PAGE_SIZE)
        runs = {str(run.id): run for run in found}
        current += [_update_point(each, runs.get(str(each.run_id))) for each in page]
    changed = [after for before, after in zip(points, current, strict=True) if after != before]
    if changed:
        await asyncio.to_thread(database.record_states, group_id, changed)
    return current


def _select_points(database: GroupDatabase, request: RunGroupRequest, deployment: Deployment) -> Selection:
    from satflow_ext.run_groups.points import check_number, make_points  # the process that submits does not need it

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


def _update_point(point: RunPoint, run: FlowRunRow | None) -> RunPoint:
    if run is None:
        return point.model_copy(update={"state": "DELETED", "message": "The run was deleted in Prefect."})
    state = read_state_type(run)
    message = (run.state.message if run.state else None) or ""
    message = "" if state in ("COMPLETED", *LIVE_POINTS) else PREFECT_PREFIX.sub("", message, count=1)
    # The duration of a live run changes all the time, and readers of a group do not need it.
    duration = run.estimated_run_time.total_seconds() if state not in LIVE_POINTS else 0.0
    return point.model_copy(update={"state": state, "message": message or None, "duration": duration})


async def _advance_all(database: GroupDatabase, prefect_api: PrefectApi, settings: Settings) -> None:
    groups = await asyncio.to_thread(database.list_active)
    if not groups:
        await asyncio.to_thread(database.clear_pending)
        return
    if prefect_api.local:
        await asyncio.to_thread(check_free_space, (settings.state_dir, settings.runtime_dir))
    async with prefect_client(prefect_api) as client:
        for group in groups:
            await _advance_group(database, client, group)
    await asyncio.to_thread(database.set_problem, None)


async def _advance_group(database: GroupDatabase, client: PrefectClient, group: GroupRow) -> None:
    submitted = await asyncio.to_thread(database.list_submitted, group.id, live_only=True)
    refreshed = await refresh_points(database, client, group.id, submitted)
    live = [point for point in refreshed if point.state in LIVE_POINTS]
    if group.status == "cancelling":
        await _cancel_runs(database, client, group, live)
    elif group.status == "active":
        await _submit_next(database, client, group, len(live))


async def _cancel_runs(
    database: GroupDatabase, client: PrefectClient, group: GroupRow, live: Sequence[RunPoint]
) -> None:
    for point in live:
        if point.state != "CANCELLING":
            await _cancel_run(client, UUID(point.run_id))
    if not live:
        await asyncio.to_thread(database.finish_cancelling, group.id)


async def _cancel_run(client: PrefectClient, run_id: UUID) -> None:
    try:
        await client.cancel_flow_run(run_id)
    except httpx.HTTPStatusError as error:
        if error.response.status_code != httpx.codes.NOT_FOUND:  # deleted in the meantime
            raise


async def _submit_next(database: GroupDatabase, client: PrefectClient, group: GroupRow, live: int) -> None:
    waiting = await asyncio.to_thread(database.list_waiting, group, group.concurrency - live)
    if not waiting:
        return
    try:
        deployment = await _find_deployment(database, client, group)
    except DeploymentNotFound as error:
        await asyncio.to_thread(database.stop_group, group.id, str(error))
        return
    limit = deployment.global_concurrency_limit
    allowed = max(limit.limit - live, 0) if limit else len(waiting)
    for point in waiting[:allowed]:
        await _submit_point(database, client, group, deployment, point)


async def _find_deployment(database: GroupDatabase, client: PrefectClient, group: GroupRow) -> DeploymentRow:
    """Read the group's deployment, also if it was deleted and registered again since.

    Raises:
        DeploymentNotFound: it does not exist.
    """
    full_name = f"{group.flow_name}/{group.deployment_name}"
    missing = DeploymentNotFound(
        f"Deployment {full_name} was deleted.",
        fix="Register it again under the same name, and continue the group with its name, or run the failed points again.",
    )
    try:
        with replace_not_found(missing):
            return await client.read_deployment(UUID(group.deployment_id))
    except DeploymentNotFound:
        with replace_not_found(missing):
            deployment = await client.read_deployment_by_name(group.flow_name, group.deployment_name)
        await asyncio.to_thread(database.set_deployment, group.id, str(deployment.id))
        return deployment


async def _submit_point(
    database: GroupDatabase, client: PrefectClient, group: GroupRow, deployment: DeploymentRow, point: RunPoint
) -> None:
    """Create the run of a point. Its key makes this safe to repeat, by this process or another one."""
    try:
        # Against the deployment as it is now: it may have been registered again since the group was started.
        await asyncio.to_thread(check_parameters, deployment, point.parameters)
        run = await client.create_flow_run(
            deployment.id,
            point.parameters,
            f"satflow:{group.id}:{point.position}:{point.attempt}",
            name=_run_name(group, point),
            tags=[f"group:{group.name}"],
        )
    except (InvalidParameter, ParametersTooLarge) as error:
        await asyncio.to_thread(database.record_refused, group.id, point, str(error))
        return
    except httpx.HTTPStatusError as error:
        if error.response.status_code not in REFUSALS:
            raise
        reason = read_detail(error.response) or f"Prefect answered {error.response.status_code}."
        await asyncio.to_thread(database.record_refused, group.id, point, reason)
        return
    if not await asyncio.to_thread(database.record_submitted, group.id, point, str(run.id)):
        await _cancel_run(client, run.id)


def _run_name(group: GroupRow, point: RunPoint) -> str:
    """Return a name with the values in which the points differ, so that lists of runs show them."""
    values = [value_text(point.parameters[name]) for name in group.varied if name in point.parameters]
    name = "".join(letter if letter.isprintable() else " " for letter in f"{group.name} {' '.join(values)}")
    return name[:MAX_NAME_LENGTH].strip()
