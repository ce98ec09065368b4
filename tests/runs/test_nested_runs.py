"""Flow runs inside flow runs, and the artifacts and origins of runs, on a real Prefect server."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from uuid import UUID, uuid4

import pytest
from prefect.states import Completed, Running

from satflow_ext import runs
from satflow_ext.deployments.versions import read_run_version
from satflow_ext.endpoints import Endpoints, Store
from satflow_ext.models import RunQuery, RunRequest
from satflow_ext.runs import run_list


def nest(prefect, parent_id: str, state=None) -> str:
    """A flow run that another one called, as Prefect's engine creates it, and its id."""

    async def make(client):
        task_run = {
            "flow_run_id": parent_id,
            "task_key": "inner-3f2a",
            "dynamic_key": str(uuid4()),
            "name": "inner-0",
            "state": {"type": "PENDING"},
        }
        task_run_id = (await client.request("POST", "/task_runs/", json=task_run)).json()["id"]
        flow_id = await client.create_flow_from_name("inner")
        flow_run = {"flow_id": str(flow_id), "parent_task_run_id": task_run_id, "state": {"type": "PENDING"}}
        run_id = (await client.request("POST", "/flow_runs/", json=flow_run)).json()["id"]
        await client.set_flow_run_state(UUID(run_id), state or Running(), force=True)
        return run_id

    return prefect.ask(make)


def add_artifact(prefect, run_id: str, key: str, **fields) -> str:
    async def make(client):
        artifact = {"key": key, "type": "markdown", "data": key, "flow_run_id": run_id, **fields}
        return (await client.request("POST", "/artifacts/", json=artifact)).json()["id"]

    return prefect.ask(make)


def detail_of(prefect, run_id: str):
    return asyncio.run(runs.read_run_detail(prefect.api, run_id))


def test_nested_runs_lead_down_and_up(prefect):
    outer = prefect.run()
    middle = nest(prefect, outer)
    inner = nest(prefect, middle, Completed())
    (task_run,) = asyncio.run(runs.list_task_runs(prefect.api, outer))
    assert (task_run.task, task_run.state_type, task_run.nested_run_id) == ("inner", "RUNNING", middle)
    found = detail_of(prefect, inner)
    assert [(each.id, each.flow_name) for each in found.parents] == [(outer, "demo"), (middle, "inner")]
    assert found.parents[1].name == detail_of(prefect, middle).run.name
    assert found.origin.kind == "flow"
    assert detail_of(prefect, outer).parents == ()
    listed = asyncio.run(runs.list_runs(prefect.api, RunQuery(limit=200)))
    assert {middle, inner}.isdisjoint(run.id for run in listed), "they are part of their parents"


def test_a_task_run_that_is_not_a_nested_run_has_none(prefect):
    run_id = prefect.run()

    async def make(client):
        body = {"flow_run_id": run_id, "task_key": "tile-1", "dynamic_key": "0", "state": {"type": "RUNNING"}}
        await client.request("POST", "/task_runs/", json=body)

    prefect.ask(make)
    assert [each.nested_run_id for each in asyncio.run(runs.list_task_runs(prefect.api, run_id))] == [None]


def test_a_nested_run_outlives_its_parent(prefect):
    outer = prefect.run()
    middle = nest(prefect, outer)

    async def delete(client):
        await client.delete_flow_run(UUID(outer))

    prefect.ask(delete)
    assert detail_of(prefect, middle).parents == ()


def test_a_run_has_the_artifacts_of_all_its_nested_runs(prefect):
    outer = prefect.run()
    first, second = nest(prefect, outer), nest(prefect, outer)
    inner = nest(prefect, first)
    for key, run_id in {"a": outer, "b": inner, "c": second, "other": prefect.run()}.items():
        add_artifact(prefect, run_id, key)
    add_artifact(prefect, inner, "d", type="result")
    found = detail_of(prefect, outer).artifacts
    assert [(each.key, each.nested_run and each.nested_run.id) for each in found] == [
        ("a", None),
        ("b", inner),
        ("c", second),
    ]
    assert [each.key for each in detail_of(prefect, first).artifacts] == ["b"]


def test_an_artifact_is_read_again_while_it_changes(prefect):
    run_id = prefect.run()
    artifact_id = add_artifact(prefect, run_id, "done", type="progress", data=10.0)
    assert [each.data for each in detail_of(prefect, run_id).artifacts] == [10.0]

    async def change(client):
        await client.request("PATCH", f"/artifacts/{artifact_id}", json={"data": 55.5})

    prefect.ask(change)
    assert [each.data for each in detail_of(prefect, run_id).artifacts] == [55.5]


def test_the_newest_artifacts_of_the_first_nested_runs_are_read(prefect, monkeypatch):
    monkeypatch.setattr(run_list, "MAX_NESTED_RUNS", 2)
    monkeypatch.setattr(run_list, "MAX_ARTIFACTS", 3)
    outer = prefect.run()
    for number in range(3):
        add_artifact(prefect, nest(prefect, outer), f"nested-{number}")
    for number in range(2):
        add_artifact(prefect, outer, f"own-{number}")
    assert [each.key for each in detail_of(prefect, outer).artifacts] == ["nested-1", "own-0", "own-1"]


def start(prefect, deployment_id: str) -> str:
    request = RunRequest(deployment_id=deployment_id, parameters={"n": 1}, idempotency_key=str(uuid4()))
    return asyncio.run(runs.start_run(prefect.api, request)).id


def test_the_states_and_job_variables_of_a_run(prefect):
    run_id = start(prefect, prefect.deployment("variables", job_variables={"cores": 2, "memory": "1 GiB"}))

    async def change(client):
        await client.request("PATCH", f"/flow_runs/{run_id}", json={"job_variables": {"cores": 4}})
        await client.set_flow_run_state(UUID(run_id), Running(message="at work"), force=True)

    prefect.ask(change)
    found = detail_of(prefect, run_id)
    assert [(state.type, state.message) for state in found.states] == [("SCHEDULED", None), ("RUNNING", "at work")]
    assert found.job_variables == {"cores": 4, "memory": "1 GiB"}
    assert (found.origin.kind, found.origin.name) == ("user", None)


@pytest.mark.parametrize("is_nested", [True, False])
def test_a_run_that_satflow_did_not_register_has_no_version(prefect, is_nested):
    if is_nested:
        run_id = nest(prefect, prefect.run())
    else:
        run_id = start(prefect, prefect.deployment("foreign", parameters={"n": 1}))

        async def change(client):
            await client.set_flow_run_state(UUID(run_id), Running(), force=True)

        prefect.ask(change)
    endpoints = Endpoints(prefect.api, Store("", ""), None, False)
    found = asyncio.run(read_run_version(endpoints, detail_of(prefect, run_id).run))
    assert (found.number, found.defaults) == (None, {})


@pytest.mark.parametrize(("slug", "name"), [("nightly", "nightly"), (None, "CronSchedule")])
def test_a_run_that_a_schedule_started(prefect, slug, name):
    schedules = [{"schedule": {"cron": "0 6 * * *"}, "active": True, "slug": slug}]
    deployment_id = prefect.deployment(f"origin-{name}", parameters={"n": 1})

    async def schedule(client):
        await client.request("POST", f"/deployments/{deployment_id}/schedules", json=schedules)
        await client.request("POST", f"/deployments/{deployment_id}/schedule", json={})

    prefect.ask(schedule)
    query = RunQuery(deployment_id=deployment_id, state_type="SCHEDULED", limit=1)
    (run,) = asyncio.run(runs.list_runs(prefect.api, query))
    origin = detail_of(prefect, run.id).origin
    assert (origin.kind, origin.name) == ("schedule", name)


def test_a_run_that_an_automation_started(prefect):
    deployment_id = prefect.deployment("automated")
    headers = {
        "Prefect-Automation-Id": str(uuid4()),
        "Prefect-Automation-Name": b64encode(b"when tiles arrive").decode(),
    }

    async def make(client):
        path = f"/deployments/{deployment_id}/create_flow_run"
        reply = await client._client.post(path, json={"parameters": {"n": 1}}, headers=headers)
        return reply.json()["id"]

    origin = detail_of(prefect, prefect.ask(make)).origin
    assert (origin.kind, origin.name) == ("automation", "when tiles arrive")
