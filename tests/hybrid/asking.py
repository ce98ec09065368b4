"""What SatFlow asks of a Prefect API for its pages and buttons: lists, details, logs, pausing, cancelling, deleting."""

from __future__ import annotations

from uuid import uuid4

from satflow_ext import runs, settings
from satflow_ext.endpoints import Endpoints, PrefectApi, Store
from satflow_ext.models import RunQuery, RunRequest
from satflow_ext.registration import deployments
from satflow_ext.runs.follow import follow


async def ask(api: PrefectApi, deployment_id: str, run_id: str) -> None:
    """Ask for everything that is shown of a deployment and of one of its runs."""
    there = Endpoints(api, Store("", ""), None, False)

    async def where() -> PrefectApi:
        return api

    listed = await deployments.list_all(there)
    assert deployment_id in {each.id for each in listed}
    name = (await deployments.get(there, deployment_id)).name
    assert (await deployments.find(there, name)).id == deployment_id
    assert await runs.work_pools(api)
    found = await runs.list_runs(api, RunQuery(deployment_id=deployment_id))
    await runs.list_runs(api, RunQuery(state_type="RUNNING"))
    assert found
    assert (await runs.get(api, run_id)).id == run_id
    await runs.detail(api, run_id)
    assert [piece async for piece in runs.whole_log(api, run_id)]
    assert [line async for batch in follow(where, run_id) for line in batch.lines]


async def press(api: PrefectApi, deployment_id: str) -> str:
    """Press every button of a deployment, and give the run that was started and cancelled."""
    there, here = Endpoints(api, Store("", ""), None, False), settings.load()
    await deployments.set_paused(there, here, deployment_id, True)
    await deployments.set_paused(there, here, deployment_id, False)
    request = RunRequest(
        deployment_id=deployment_id, parameters={"how": "flow", "given": ""}, idempotency_key=str(uuid4())
    )
    run = await runs.start(api, request)
    await runs.cancel(api, run.id)
    return run.id


async def delete(api: PrefectApi, deployment_id: str) -> None:
    """Delete the deployment."""
    await deployments.delete(Endpoints(api, Store("", ""), None, False), settings.load(), deployment_id)
