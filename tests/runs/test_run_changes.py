"""Changes of several runs in one request, and the filters with which they are found."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from pydantic import ValidationError

from satflow_ext import runs
from satflow_ext.errors import DeploymentNotFound
from satflow_ext.models import RecentRunsRequest, RunChangeRequest, RunQuery
from tests.prefect_clients import stock_client

if TYPE_CHECKING:
    from satflow_ext.endpoints import PrefectApi


async def new_run(api: PrefectApi, kind: str, name: str = "changed", **fields: object) -> str:
    """Make a run in a state, without a process."""
    async with stock_client(api) as client:
        flow_id = await client.create_flow_from_name("changes")
        body = {"state": {"type": kind}, **fields, "flow_id": str(flow_id), "name": name}
        return str((await client.request("POST", "/flow_runs/", json=body)).json()["id"])


def change(api: PrefectApi, action: str, *ids: str):
    return asyncio.run(runs.change_runs(api, RunChangeRequest(action=action, ids=ids)))


def state_of(api: PrefectApi, run_id: str) -> str:
    return asyncio.run(runs.read_run(api, run_id)).state_type


def test_cancelled_are_those_that_have_not_ended(other_prefect: PrefectApi) -> None:
    running, ended = (asyncio.run(new_run(other_prefect, state)) for state in ("RUNNING", "COMPLETED"))
    missing = str(uuid4())
    done = change(other_prefect, "cancel", running, ended, missing, "no id", running)
    assert done.changed == (running,)
    reasons = {each.id: each.reason for each in done.refused}
    assert [*reasons] == [ended, missing, "no id"]
    assert reasons[ended] == "Run changed had already ended."
    assert missing in reasons[missing]
    assert state_of(other_prefect, running) in ("CANCELLING", "CANCELLED")


def test_retried_are_failed_runs_of_deployments(other_prefect: PrefectApi) -> None:
    failed = asyncio.run(new_run(other_prefect, "FAILED"))
    done = change(other_prefect, "retry", failed)
    assert not done.changed
    assert "does not belong to a deployment" in done.refused[0].reason


def test_deleted_are_those_without_a_process(other_prefect: PrefectApi) -> None:
    ids = {state: asyncio.run(new_run(other_prefect, state)) for state in ("SCHEDULED", "RUNNING", "FAILED")}
    done = change(other_prefect, "delete", *ids.values())
    assert done.changed == (ids["SCHEDULED"], ids["FAILED"])
    assert [each.id for each in done.refused] == [ids["RUNNING"]]
    assert "Cancel it first" in done.refused[0].reason
    assert state_of(other_prefect, ids["RUNNING"]) == "RUNNING"
    again = change(other_prefect, "delete", ids["FAILED"])
    assert "No flow run has the id" in again.refused[0].reason


@pytest.mark.parametrize("ids", [(), tuple(map(str, range(201)))])
def test_a_request_has_1_to_200_runs(ids: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError):
        RunChangeRequest(action="cancel", ids=ids)


def test_runs_are_found_by_tag_and_time(other_prefect: PrefectApi) -> None:
    tag = f"tag-{uuid4()}"
    now = datetime.now(timezone.utc)
    ids = [asyncio.run(new_run(other_prefect, "COMPLETED", f"run {hours}", tags=[tag])) for hours in (1, 5)]
    asyncio.run(new_run(other_prefect, "COMPLETED", tags=["another"]))

    def found(**query: object) -> list[str]:
        return [each.id for each in asyncio.run(runs.list_runs(other_prefect, RunQuery(tag=tag, **query)))]

    assert sorted(found()) == sorted(ids)
    assert asyncio.run(runs.read_run(other_prefect, ids[0])).tags == (tag,)
    assert sorted(found(since=now - timedelta(minutes=1))) == sorted(ids)
    assert found(until=now - timedelta(minutes=1)) == []
    assert found(since=now + timedelta(hours=1)) == []


def test_a_far_end_of_the_period_does_not_list_future_runs(other_prefect: PrefectApi) -> None:
    tag = f"tag-{uuid4()}"
    planned = datetime.now(timezone.utc) + timedelta(hours=1)
    state = {"type": "SCHEDULED", "state_details": {"scheduled_time": planned.isoformat()}}
    run_id = asyncio.run(new_run(other_prefect, "SCHEDULED", tags=[tag], state=state))
    query = {"tag": tag, "until": planned + timedelta(hours=1)}
    assert not asyncio.run(runs.list_runs(other_prefect, RunQuery(**query)))
    upcoming = asyncio.run(runs.list_runs(other_prefect, RunQuery(**query, state_type="SCHEDULED")))
    assert [each.id for each in upcoming] == [run_id]


def test_recent_are_the_last_14_runs_of_each_deployment(other_prefect: PrefectApi) -> None:
    async def prepare() -> list[str]:
        async with stock_client(other_prefect) as client:
            flow_id = await client.create_flow_from_name("recent")
            return [str(await client.create_deployment(flow_id, f"recent-{n}-{uuid4()}")) for n in range(3)]

    busy, failing, unused = asyncio.run(prepare())
    for number in range(16):
        asyncio.run(new_run(other_prefect, "COMPLETED", f"run {number}", deployment_id=busy))
    asyncio.run(new_run(other_prefect, "FAILED", deployment_id=failing))
    found = asyncio.run(
        runs.list_recent_runs(other_prefect, RecentRunsRequest(deployment_ids=(busy, failing, unused, busy)))
    ).runs
    assert [each.name for each in found[busy]] == [f"run {number}" for number in range(15, 1, -1)]
    assert [each.state_type for each in found[failing]] == ["FAILED"]
    assert found[unused] == ()
    with pytest.raises(DeploymentNotFound):
        asyncio.run(runs.list_recent_runs(other_prefect, RecentRunsRequest(deployment_ids=("no id",))))
