"""`python -m satflow_ext.deployments.overdue`: report the deployments of the local stack that have not completed a run in time.

A notification `overdue` is an automation of Prefect that waits for our event about its deployment and its number of hours. The
local stack runs this module every few minutes. It reads the runs themselves instead of their events, and sends the event once for
each time without a completed run (docs/decisions/0041).
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID, uuid5

from pydantic import AwareDatetime, BaseModel, ConfigDict, TypeAdapter, ValidationError

from satflow_ext import atomic_files, endpoints
from satflow_ext.deployments.automations import (
    HOURS_LABEL,
    OVERDUE_EVENT,
    PAGE_SIZE,
    find_overdue_watches,
    format_hours,
    read_own_automations,
)
from satflow_ext.endpoints import PrefectApi
from satflow_ext.errors import SatflowError
from satflow_ext.models import JsonObject
from satflow_ext.prefect_api import PrefectClient, prefect_client
from satflow_ext.prefect_rows import DeploymentRow, FlowRunRow
from satflow_ext.settings import Settings, load_settings

NICENESS = 10
"""Niceness: the services and the user's programs have priority."""

logger = logging.getLogger(__name__)


def main() -> int:
    """Check all deployments of the local stack once; return 1 if Prefect does not answer."""
    os.nice(NICENESS)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    logger.setLevel(logging.INFO)
    settings = load_settings()
    api = endpoints.read_local_prefect(settings)
    if api is None:
        return 0
    try:
        asyncio.run(report_overdue(api, settings, datetime.now(timezone.utc)))
    except SatflowError as error:  # the next check is in a few minutes
        logger.warning("%s", error)
        return 1
    return 0


class WatchRecord(BaseModel):
    """The facts about a deployment that are kept between two checks.

    Args:
        since: the first check, or the last one during which the deployment was paused: earlier times do not count.
        reported: the beginning of the time without a completed run that was reported last.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    since: AwareDatetime
    reported: AwareDatetime | None = None


@dataclass(frozen=True)
class RunTimes:
    """The runs of a deployment.

    Args:
        completed: the end of the run that completed last, None if none did.
        in_progress: the expected start of the newest run that is in progress, None if none is.
    """

    completed: datetime | None
    in_progress: datetime | None


def find_overdue_since(record: WatchRecord, runs: RunTimes, hours: float, now: datetime) -> datetime | None:
    """Return the beginning of a time without a completed run that has to be reported, None if there is nothing to report.

    A run in progress prevents a report, unless it takes longer than these hours itself.
    """
    begin = max(record.since, runs.completed or record.since)
    earliest = now - timedelta(hours=hours)
    is_running = runs.in_progress is not None and runs.in_progress > earliest
    return None if begin > earliest or is_running or record.reported == begin else begin


async def report_overdue(api: PrefectApi, settings: Settings, now: datetime) -> tuple[str, ...]:
    """Send the event for each deployment that is overdue; return their names.

    Args:
        api: the Prefect API.
        settings: define the folder of the records.
        now: the time of the check.

    Raises:
        PrefectFailed: the API did not answer.
    """
    path = settings.state_dir / "overdue.json"
    known = _read_records(path)
    async with prefect_client(api) as client:
        watches = find_overdue_watches(await read_own_automations(client))
        rows = await _read_rows(client, {each.deployment_id for each in watches})
        records: dict[str, WatchRecord] = {}
        reported: list[str] = []
        try:
            for each in watches:
                if row := rows.get(each.deployment_id):
                    key = f"{row.id} {format_hours(each.hours)}"
                    before = known.get(key, WatchRecord(since=now))
                    records[key] = before
                    records[key] = await _check_deployment(client, row, each.hours, before, now)
                    if records[key].reported not in (None, before.reported):
                        reported.append(row.name)
        finally:
            _write_records(path, records)
    return tuple(reported)


async def _check_deployment(
    client: PrefectClient, row: DeploymentRow, hours: float, record: WatchRecord, now: datetime
) -> WatchRecord:
    """Send the event if the deployment is overdue, and return the record for the next check."""
    if row.is_paused:
        return WatchRecord(since=now)
    runs = await _read_run_times(client, row.id)
    begin = find_overdue_since(record, runs, hours, now)
    if begin is None:
        return record
    await client.create_event(_event(row, hours, begin, runs.completed))
    logger.info("%s has not completed a run for %s hours.", row.name, format_hours(hours))
    return record.model_copy(update={"reported": begin})


async def _read_rows(client: PrefectClient, ids: set[UUID]) -> dict[UUID, DeploymentRow]:
    ordered = sorted(ids)
    rows: list[DeploymentRow] = []
    for start in range(0, len(ordered), PAGE_SIZE):
        rows += await client.read_deployments(ordered[start : start + PAGE_SIZE], limit=PAGE_SIZE)
    return {row.id: row for row in rows}


async def _read_run_times(client: PrefectClient, deployment_id: UUID) -> RunTimes:
    async def read_newest(states: list[str], sort: str) -> FlowRunRow | None:
        chosen: JsonObject = {
            "deployment_id": {"any_": [str(deployment_id)]},
            "state": {"type": {"any_": [*states]}},
        }
        return next(iter(await client.read_flow_runs(chosen, sort=sort, limit=1)), None)

    completed = await read_newest(["COMPLETED"], "END_TIME_DESC")
    running = await read_newest(["PENDING", "RUNNING"], "EXPECTED_START_TIME_DESC")
    return RunTimes(
        completed=completed.end_time if completed else None,
        in_progress=running.expected_start_time if running else None,
    )


def _event(row: DeploymentRow, hours: float, begin: datetime, completed: datetime | None) -> JsonObject:
    """Return the event. Its id is the same if the event is sent again, because the record could not be stored."""
    resource = f"prefect.deployment.{row.id}"
    flow: JsonObject = {"prefect.resource.id": f"prefect.flow.{row.flow_id}", "prefect.resource.role": "flow"}
    return {
        "id": str(uuid5(row.id, f"{format_hours(hours)} {begin.isoformat()}")),
        "event": OVERDUE_EVENT,
        "occurred": datetime.now(timezone.utc).isoformat(),
        "resource": {
            "prefect.resource.id": resource,
            "prefect.resource.name": row.name,
            HOURS_LABEL: format_hours(hours),
        },
        "related": [flow],
        "payload": {"last_completed": f"{completed:%Y-%m-%d %H:%M:%S} UTC" if completed else None},
    }


_records: TypeAdapter[dict[str, WatchRecord]] = TypeAdapter(dict[str, WatchRecord])


def _read_records(path: Path) -> dict[str, WatchRecord]:
    """Read the records of the last check; without them, all times begin now."""
    try:
        return _records.validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return {}


def _write_records(path: Path, records: dict[str, WatchRecord]) -> None:
    atomic_files.write_atomically(path, _records.dump_json(records))


if __name__ == "__main__":
    sys.exit(main())
