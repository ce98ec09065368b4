"""What SatFlow asks of a Prefect API for its pages and buttons: lists, details, logs, pausing, cancelling, deleting."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from uuid import UUID, uuid4

from satflow_ext import runs
from satflow_ext.deployments import queries
from satflow_ext.endpoints import Endpoints, PrefectApi, Store
from satflow_ext.models import RunGroupRequest, RunQuery, RunRequest
from satflow_ext.run_groups import groups
from satflow_ext.run_groups.database import GroupDatabase
from satflow_ext.run_groups.groups import advance_groups
from satflow_ext.runs.log_follower import follow_log, listen_for_hints
from satflow_ext.settings import Settings, load_settings
from tests.hybrid.messages import of_connection
from tests.hybrid.recording import Recording

LOG_SOCKET = b"GET /api/logs/out "


async def ask(api: PrefectApi, deployment_id: str, run_id: str) -> None:
    """Ask for everything that is shown of a deployment and of one of its runs."""
    there = Endpoints(api, Store("", ""), None, False)

    async def where() -> PrefectApi:
        return api

    listed = await queries.list_deployments(there)
    assert deployment_id in {each.id for each in listed}
    name = (await queries.get_deployment(there, deployment_id)).name
    assert (await queries.find_deployment(there, name)).id == deployment_id
    assert await runs.list_work_pools(api)
    found = await runs.list_runs(api, RunQuery(deployment_id=deployment_id))
    await runs.list_runs(api, RunQuery(state_type="RUNNING"))
    assert found
    assert (await runs.read_run(api, run_id)).id == run_id
    await runs.read_run_detail(api, run_id)
    (task_run, *_) = await runs.list_task_runs(api, run_id)
    await runs.read_task_run(api, run_id, task_run.id)
    assert [piece async for piece in runs.stream_whole_log(api, run_id, load_settings())]
    assert [line async for batch in follow_log(where, run_id) for line in batch.lines]


async def listen(api: PrefectApi, run_id: str, recording: Recording) -> None:
    """Listen on the log socket, as whoever follows a run does as long as it goes on, until both messages have gone out."""
    listening = asyncio.create_task(listen_for_hints(api, UUID(run_id), lambda: None))
    while not _has_asked(recording):  # noqa: ASYNC110  # another thread writes it
        await asyncio.sleep(0.1)
    listening.cancel()
    with suppress(asyncio.CancelledError):
        await listening


def _has_asked(recording: Recording) -> bool:
    """Whether the credential and the filter were sent."""
    sockets = [each for each in recording.connections if each.sent.startswith(LOG_SOCKET)]
    return any(sum(message.method == "WS" for message in of_connection(each)) == 2 for each in sockets)


async def press(api: PrefectApi, deployment_id: str) -> str:
    """Press every button of a deployment, and give the run that was started and cancelled."""
    there, settings = Endpoints(api, Store("", ""), None, False), load_settings()
    await queries.set_paused(there, settings, deployment_id, True)
    await queries.set_paused(there, settings, deployment_id, False)
    request = RunRequest(
        deployment_id=deployment_id, parameters={"how": "flow", "given": ""}, idempotency_key=str(uuid4())
    )
    run = await runs.start_run(api, request)
    await runs.cancel_run(api, run.id)
    return run.id


async def press_many(api: PrefectApi, deployment_id: str, settings: Settings) -> None:
    """Start a run group of one run, and cancel it."""
    deployment = await queries.get_deployment(Endpoints(api, Store("", ""), None, False), deployment_id)
    database = GroupDatabase(settings, api)
    wanted = RunGroupRequest(deployment=deployment_id, name="many", over={"how": ["flow"]}, parameters={"given": ""})
    group_id = await groups.start_group(database, await groups.select_points(database, wanted, deployment))
    await advance_groups(database, api, settings)
    database.cancel_group(group_id)
    await advance_groups(database, api, settings)


async def delete(api: PrefectApi, deployment_id: str) -> None:
    """Delete the deployment."""
    await queries.delete_deployment(Endpoints(api, Store("", ""), None, False), load_settings(), deployment_id)
