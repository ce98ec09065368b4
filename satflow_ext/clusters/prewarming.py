"""Start shared clusters ahead of scheduled runs.

`python -m satflow_ext.clusters.prewarming` does this for the local stack, which starts it when a deployment requests
prewarming; it ends when no deployment does. For another Prefect server, `satflow clusters prewarm` does it until it is stopped.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from uuid import UUID

from satflow_ext import endpoints
from satflow_ext.clusters import deployment_clusters
from satflow_ext.deployments import queries
from satflow_ext.endpoints import Endpoints, PrefectApi
from satflow_ext.errors import SatflowError
from satflow_ext.models import ClusterOrder, JsonObject, StartCluster
from satflow_ext.prefect_api import prefect_client
from satflow_ext.registration.prewarm_request import prewarm_seconds, request_file
from satflow_ext.settings import LOCAL, Settings, load_settings

CHECK_INTERVAL = 10.0
"""Seconds between two checks."""
MINUTE = 60.0
HOUR = 3600.0
NICENESS = 5
"""Niceness: the services and the user's programs have priority."""

logger = logging.getLogger("satflow_ext.registration")
MAX_DELAY = timedelta(seconds=60)
"""Maximum age of a scheduled start. A run that is later starts its cluster itself."""
MAX_RUNS = 200
"""Maximum number of scheduled runs that are read, the next ones first: Prefect creates a hundred for each schedule."""


def main() -> int:
    """Prewarm clusters of the local stack until no deployment requests it."""
    os.nice(NICENESS)
    log_to_stderr()
    asyncio.run(prewarm_local_stack(load_settings().model_copy(update={"store": LOCAL})))
    return 0


def log_to_stderr() -> None:
    """Log to standard error."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    logger.setLevel(logging.INFO)


async def prewarm_local_stack(settings: Settings) -> None:
    """Check the local stack's deployments periodically. A failed check is repeated at the next interval."""
    requests: dict[UUID, PrewarmRequest] = {}
    last_read = -HOUR
    seen: int | None = 0
    started: dict[UUID, asyncio.Task[None]] = {}
    while True:
        record = endpoints.read_record(settings)
        if record is None or record.prefect_url is None:
            return
        try:
            where = endpoints.resolve_endpoints(settings, record)
            marked = _last_request_time(settings)
            if marked != seen or time.monotonic() - last_read > HOUR:
                requests = await _read_requests(where, settings)
                if not requests:
                    return
                last_read, seen = time.monotonic(), marked
            await _start_due_clusters(where, settings, requests, started)
        except SatflowError as error:
            logger.warning("%s", error)
        await asyncio.sleep(CHECK_INTERVAL)


async def prewarm_other_server(target: Endpoints, settings: Settings) -> None:
    """Check another Prefect server periodically. It does not report registrations, so its deployments are read each minute."""
    requests: dict[UUID, PrewarmRequest] = {}
    last_read = -MINUTE
    logged_count: int | None = None
    started: dict[UUID, asyncio.Task[None]] = {}
    while True:
        try:
            if time.monotonic() - last_read >= MINUTE:
                requests, last_read = await list_prewarm_requests(target), time.monotonic()
            if logged_count != len(requests):
                logged_count = len(requests)
                logger.info("Deployments whose cluster is started ahead of scheduled runs: %d", logged_count)
            if requests:
                await _start_due_clusters(target, settings, requests, started)
        except SatflowError as error:
            logger.warning("%s", error)
        await asyncio.sleep(CHECK_INTERVAL)


async def _start_due_clusters(
    target: Endpoints, settings: Settings, requests: dict[UUID, PrewarmRequest], started: dict[UUID, asyncio.Task[None]]
) -> None:
    now_due = await find_due_starts(target.prefect, requests, datetime.now(timezone.utc))
    for run_id in started.keys() - {each.run_id for each in now_due}:
        if started[run_id].done():
            del started[run_id]
    for each in now_due:
        if each.run_id not in started:
            started[each.run_id] = asyncio.create_task(_start_cluster(each, target, settings))


def _last_request_time(settings: Settings) -> int | None:
    """Return the time of the last registration with prewarming, or None if there is none."""
    try:
        return request_file(settings).stat().st_mtime_ns
    except FileNotFoundError:
        return None


async def _read_requests(target: Endpoints, settings: Settings) -> dict[UUID, PrewarmRequest]:
    """Return the requests of all deployments. If there are none, remove the file, after which this process ends."""
    if found := await list_prewarm_requests(target):
        return found
    request_file(settings).unlink(missing_ok=True)
    if found := await list_prewarm_requests(target):  # of a registration whose file was just removed
        request_file(settings).touch(mode=0o600)
    return found


async def _start_cluster(due_start: DueStart, target: Endpoints, settings: Settings) -> None:
    """Start the cluster of a run once. After a failure the run starts the cluster itself, and its log has the reason."""
    begun = time.monotonic()
    try:
        await deployment_clusters.apply_order(
            target, settings, str(due_start.deployment_id), ClusterOrder(order=StartCluster())
        )
    except SatflowError as error:
        logger.warning("%s: its cluster could not be started ahead of the run: %s", due_start.deployment_name, error)
    else:
        logger.info("%s: its cluster is ready after %.1f s.", due_start.deployment_name, time.monotonic() - begun)


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
    listed = await queries.list_deployments(endpoints)
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
    async with prefect_client(api) as client:
        upcoming = _upcoming_runs_filter(requests, now)
        runs = await client.read_flow_runs(upcoming, sort="EXPECTED_START_TIME_ASC", limit=MAX_RUNS)
    nearest = {run.deployment_id: run for run in reversed(runs)}
    return tuple(
        DueStart(run.id, deployment_id, requests[deployment_id].name)
        for deployment_id, run in nearest.items()
        if deployment_id is not None
        and run.expected_start_time is not None
        and run.expected_start_time - requests[deployment_id].ahead <= now
    )


def _upcoming_runs_filter(requests: Mapping[UUID, PrewarmRequest], now: datetime) -> JsonObject:
    until = now + max(each.ahead for each in requests.values())
    return {
        "deployment_id": {"any_": [str(each) for each in requests]},
        "state": {"type": {"any_": ["SCHEDULED"]}},
        "expected_start_time": {"after_": (now - MAX_DELAY).isoformat(), "before_": until.isoformat()},
    }


if __name__ == "__main__":
    sys.exit(main())
