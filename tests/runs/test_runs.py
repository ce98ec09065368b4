"""Start, list, look into and cancel, on a real Prefect server."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone
from uuid import UUID, uuid4

import pytest
from prefect.client.schemas.actions import LogCreate
from prefect.states import Completed, Failed, Scheduled

from satflow_ext import runs
from satflow_ext.errors import DeploymentNotFound, InvalidParameter, ParametersTooLarge, RunNotFound
from satflow_ext.models import RunQuery, RunRequest
from satflow_ext.settings import load_settings


def request(deployment_id: str, **parameters: object) -> RunRequest:
    return RunRequest(deployment_id=deployment_id, parameters=parameters, idempotency_key=str(uuid4()))


def test_start_makes_one_run_for_one_press(prefect):
    pressed = request(prefect.deployment("press"), n=3)
    first = asyncio.run(runs.start_run(prefect.api, pressed))
    second = asyncio.run(runs.start_run(prefect.api, pressed))
    assert first.id == second.id
    assert (first.state_type, first.deployment_name, first.flow_name) == ("SCHEDULED", "press", "demo")
    assert first.parameters == {"n": 3}
    listed = asyncio.run(runs.list_runs(prefect.api, RunQuery(deployment_id=pressed.deployment_id)))
    assert [run.id for run in listed] == [first.id]


@pytest.mark.parametrize(
    ("parameters", "field", "message"),
    [
        ({"n": "three"}, "parameters.n", "'n' must be a whole number"),
        ({}, "parameters.n", "needs a value"),
        ({"n": 1, "names": ["a", 2]}, "parameters.names.1", r"'names\[1\]' must be text"),
        ({"n": 1, "m": 2}, "parameters.m", "no parameter 'm'"),
        ({"n": float("nan")}, "parameters", "JSON"),
    ],
)
def test_parameters_that_do_not_fit(prefect, parameters, field, message):
    wanted = request(prefect.deployment("fit"), **parameters)
    with pytest.raises(InvalidParameter, match=message) as refused:
        asyncio.run(runs.start_run(prefect.api, wanted))
    assert refused.value.field == field
    assert "three" not in str(refused.value), "a value is the user's data"
    assert refused.value.for_log() == f"{field} is not valid."


def test_the_deployment_s_own_parameters_count(prefect):
    deployment_id = prefect.deployment("own", parameters={"n": 7})
    run = asyncio.run(runs.start_run(prefect.api, request(deployment_id)))
    assert run.parameters == {"n": 7}


def test_parameters_that_are_too_large(prefect):
    wanted = request(prefect.deployment("large"), n=1, names=["x" * 530_000])
    with pytest.raises(ParametersTooLarge):
        asyncio.run(runs.start_run(prefect.api, wanted))


@pytest.mark.parametrize("deployment_id", ["nonsense", "00000000-0000-4000-8000-000000000000"])
def test_no_such_deployment(prefect_api, deployment_id):
    with pytest.raises(DeploymentNotFound):
        asyncio.run(runs.start_run(prefect_api, request(deployment_id)))


@pytest.mark.parametrize("run_id", ["nonsense", "00000000-0000-4000-8000-000000000000"])
@pytest.mark.parametrize("ask", [runs.read_run, runs.read_run_detail, runs.cancel_run])
def test_no_such_run(prefect_api, ask, run_id):
    with pytest.raises(RunNotFound):
        asyncio.run(ask(prefect_api, run_id))


def test_a_scheduled_run_is_cancelled_at_once(prefect):
    run = asyncio.run(runs.start_run(prefect.api, request(prefect.deployment("cancel"), n=1)))
    cancelled = asyncio.run(runs.cancel_run(prefect.api, run.id))
    assert cancelled.state_type == "CANCELLED"


def test_a_running_run_is_cancelling(prefect):
    run_id = prefect.run()
    assert asyncio.run(runs.cancel_run(prefect.api, run_id)).state_type == "CANCELLING"


def test_an_ended_run_stays_as_it_is(prefect):
    run_id = prefect.run("COMPLETED")
    assert asyncio.run(runs.cancel_run(prefect.api, run_id)).state_type == "COMPLETED"


def test_what_a_schedule_plans_is_listed_only_when_asked_for(prefect):
    deployment_id = prefect.deployment("planned")
    later = Scheduled(scheduled_time=datetime.now(timezone.utc) + timedelta(days=1))

    async def plan(client):
        return await client.create_flow_run_from_deployment(UUID(deployment_id), parameters={"n": 1}, state=later)

    planned = prefect.ask(plan)
    assert asyncio.run(runs.list_runs(prefect.api, RunQuery(deployment_id=deployment_id))) == ()
    (found,) = asyncio.run(runs.list_runs(prefect.api, RunQuery(deployment_id=deployment_id, state_type="SCHEDULED")))
    assert found.id == str(planned.id)


@pytest.mark.parametrize(
    ("state", "is_active"),
    [("RUNNING", True), ("PENDING", True), ("PAUSED", True), ("COMPLETED", False), ("FAILED", False)],
)
def test_active_runs_are_those_that_have_not_ended(prefect, state, is_active):
    run_id = prefect.run(state)
    found = asyncio.run(runs.list_runs(prefect.api, RunQuery(active=True, limit=200)))
    assert (run_id in {run.id for run in found}) == is_active
    found = asyncio.run(runs.list_runs(prefect.api, RunQuery(active=True, state_type=state, limit=200)))
    assert (run_id in {run.id for run in found}) == is_active


def test_runs_are_searched_by_name_and_read_page_by_page(prefect):
    deployment_id = prefect.deployment("paged")

    async def start(client):
        make = client.create_flow_run_from_deployment
        names = ("grey-owl", "Brown-OWL", "fox")
        return [await make(UUID(deployment_id), parameters={"n": 1}, name=name, state=Completed()) for name in names]

    prefect.ask(start)

    def names(**query):
        found = asyncio.run(runs.list_runs(prefect.api, RunQuery(deployment_id=deployment_id, **query)))
        return [run.name for run in found]

    assert set(names(name="owl")) == {"grey-owl", "Brown-OWL"}
    pages = [names(limit=2, offset=offset) for offset in (0, 2, 4)]
    assert [len(page) for page in pages] == [2, 1, 0]
    assert sorted(pages[0] + pages[1]) == ["Brown-OWL", "fox", "grey-owl"]


def test_a_late_run_says_that_nobody_polls_its_pool(prefect):
    deployment_id = prefect.deployment("late", work_pool_name=prefect.pool("lonely"))
    before = Scheduled(scheduled_time=datetime.now(timezone.utc) - timedelta(minutes=1))

    async def make(client):
        return await client.create_flow_run_from_deployment(UUID(deployment_id), parameters={"n": 1}, state=before)

    run_id = str(prefect.ask(make).id)
    said = asyncio.run(runs.read_run(prefect.api, run_id)).why_waiting
    assert said == "No Prefect worker polls work pool 'lonely'. Start one: prefect worker start --pool lonely"


def test_the_limit_of_a_deployment_is_known(prefect):
    options = {"concurrency_limit": 1, "work_pool_name": prefect.pool("slots")}
    deployment_id = prefect.deployment("slots", **options)
    run = asyncio.run(runs.start_run(prefect.api, request(deployment_id, n=1)))
    assert run.why_waiting is None


def log(run_id: str, message: str, level: int = 20, seconds: float = 0) -> LogCreate:
    at = datetime.now(timezone.utc) + timedelta(seconds=seconds)
    return LogCreate(name="prefect.flow_runs", level=level, message=message, timestamp=at, flow_run_id=UUID(run_id))


def test_last_lines_of_a_chatty_and_a_quiet_run(prefect):
    chatty, quiet = prefect.run(), prefect.run()

    async def write(client):
        await client.create_logs([log(quiet, "quiet", seconds=-60)])
        await client.create_logs([log(chatty, f"chatty {n}", seconds=n / 1000) for n in range(300)])

    prefect.ask(write)
    found = {run.id: run.last_line for run in asyncio.run(runs.list_runs(prefect.api, RunQuery(limit=200)))}
    assert (found[chatty], found[quiet]) == ("chatty 299", "quiet")


TRACEBACK = """Encountered exception during execution: ValueError('no tiles')
Traceback (most recent call last):
  File "cell.py", line 1, in <module>
KeyError: 'first'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "cell.py", line 3, in tiles
    raise ValueError("no tiles")
ValueError: no tiles
in the second line as well"""


def test_a_failure_is_told_from_the_log(prefect):
    run_id = prefect.run()

    async def fail(client):
        await client.create_logs([log(run_id, TRACEBACK, 40), log(run_id, "Finished in state Failed", 40, 1)])
        await client.set_flow_run_state(UUID(run_id), Failed(message="it failed"), force=True)

    prefect.ask(fail)
    found = asyncio.run(runs.read_run_detail(prefect.api, run_id))
    assert found.failure is not None
    assert found.failure.cause == "ValueError: no tiles\nin the second line as well"
    assert found.failure.traceback.startswith("Traceback (most recent call last):\n")


def test_a_failure_without_a_log_is_told_from_the_state(prefect):
    run_id = prefect.run()

    async def fail(client):
        await client.set_flow_run_state(UUID(run_id), Failed(message="the process is gone"), force=True)

    prefect.ask(fail)
    found = asyncio.run(runs.read_run_detail(prefect.api, run_id))
    assert found.failure is not None
    assert (found.failure.cause, found.failure.traceback) == ("the process is gone", None)


def test_artifacts_of_a_run(prefect):
    run_id = prefect.run()

    async def make(client):
        artifact = {"key": "mosaic", "type": "markdown", "data": "# Mosaic", "flow_run_id": run_id}
        await client.request("POST", "/artifacts/", json=artifact)
        await client.request("POST", "/artifacts/", json={"data": {"storage_key": "x"}, "flow_run_id": run_id})
        await client.set_flow_run_state(UUID(run_id), Completed(), force=True)

    prefect.ask(make)
    found = asyncio.run(runs.read_run_detail(prefect.api, run_id))
    assert [(artifact.key, artifact.data) for artifact in found.artifacts] == [("mosaic", "# Mosaic")]
    assert not found.settled, "Prefect may record task runs after their flow run"


def test_the_whole_log_is_whole(prefect):
    run_id = prefect.run("COMPLETED")
    same = datetime.now(timezone.utc)

    async def write(client):
        lines = [log(run_id, f"line {n}", seconds=n // 250) for n in range(1_000)]
        for start in range(0, 1_000, 250):
            batch = [line.model_copy(update={"timestamp": same}) for line in lines[start : start + 250]]
            await client.create_logs(batch)

    async def read() -> str:
        return "".join([piece async for piece in runs.stream_whole_log(prefect.api, run_id, load_settings())])

    prefect.ask(write)
    text = asyncio.run(read())
    assert sorted(line.rpartition(" ")[2] for line in text.splitlines()) == sorted(str(n) for n in range(1_000))
