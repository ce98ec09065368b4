"""Registering on the real local stack: what is made, what is not made twice, and what is refused with nothing lost."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import replace

import pytest
from prefect import flow, get_run_logger, task

from satflow_ext import runs
from satflow_ext.deployments import queries
from satflow_ext.errors import (
    BadRequest,
    InvalidParameter,
    InvalidSchedule,
    ParametersTooLarge,
    PrefectUnauthorized,
    PrefectUnreachable,
    StoreUnauthorized,
    StoreUnreachable,
    UnknownExecutor,
    WorkPoolNotFound,
)
from satflow_ext.fork_requests.child_process import RUN_SOCKET
from satflow_ext.fork_requests.trial_load import TEMPLATES_LINK
from satflow_ext.models import CronSchedule, ExecutorChoice, IntervalSchedule, Registration
from satflow_ext.registration import register
from satflow_ext.settings import SizeSettings
from tests.eventually import eventually
from tests.flow_runs import log_of
from tests.prefect_clients import stock_client
from tests.registration.screens import make_work_pool


@task
def double(number):
    return 2 * number


@flow
def doubled(count: int = 4, secret: str = "hunter2"):  # a default that must not leak
    """Doubles numbers, and its docstring is nobody's business."""
    get_run_logger().info(f"doubled {double.map(range(count)).result()}")


@flow
def needs(year: int, month: int = 1):
    return year, month


@flow
def fails(reason: str = "because"):
    raise ValueError(reason)


def as_prefect_has_it(stack, done):
    async def read():
        async with stock_client(stack.endpoints.prefect) as client:
            return await client.read_deployment(done.deployment.id)

    return asyncio.run(read())


def loads_by(code: str):
    """A flow that runs code where it is loaded, but not in this process, which loads it when it packs it."""
    elsewhere = f"import os\nif os.getpid() != {os.getpid()}: {code}"

    class RunsCode:
        def __reduce__(self):
            return exec, (elsewhere, {})

    captured = RunsCode()

    @flow
    def loads_badly():
        return captured

    return loads_badly


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import module_of_the_notebook", "ModuleNotFoundError: No module named 'module_of_the_notebook'. Install"),
        ("open('data.csv')", "FileNotFoundError: [Errno 2] No such file or directory: 'data.csv'. Provide"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "it crashed (SIGSEGV). A compiled package"),
        ("raise SystemExit('no')", "SystemExit: no. Provide"),
        ("print('fine')", None),
    ],
)
def test_a_flow_that_packs_but_cannot_be_loaded_gets_a_warning(registered, stack, code, message):
    eventually((stack.settings.runtime_dir / TEMPLATES_LINK / RUN_SOCKET).exists, "the template")
    done = registered(loads_by(code))
    assert done.outcome == "created"
    sentences = [each.sentence for each in done.warnings]
    if message is None:
        assert sentences == []
    else:
        assert [each.partition(message)[1] for each in sentences] == [message], sentences


def test_first_time_is_version_1(registered, name):
    done = registered(doubled)
    assert (done.outcome, done.deployment.version) == ("created", 1)
    assert (done.deployment.flow_name, done.deployment.name) == ("doubled", name)


def test_same_again_is_unchanged(registered):
    first, again = registered(doubled), registered(doubled)
    assert again.outcome == "unchanged"
    assert (again.manifest, again.deployment.version) == (first.manifest, 1)


@pytest.mark.parametrize(
    "choices",
    [
        {"parameters": {"count": 2}},
        {"executor": ExecutorChoice(name="threads", options={"max_workers": 3})},
        {"schedule": CronSchedule(cron="0 6 * * *", timezone="Europe/Berlin")},
        {"tags": ("nightly",)},
        {"environment": "refuse"},
        {"secrets": ("A_KEY",)},
    ],
)
def test_another_choice_is_the_next_version(registered, choices):
    first, changed, again = registered(doubled), registered(doubled, **choices), registered(doubled, **choices)
    assert (changed.outcome, changed.deployment.version) == ("changed", 2)
    assert changed.deployment.id == first.deployment.id
    assert again.outcome == "unchanged"


def test_changed_code_is_the_next_version(registered):
    @flow(name="doubled")
    def other(count: int = 4):
        return count * 3

    registered(doubled)
    done = registered(other)
    assert (done.outcome, done.deployment.version) == ("changed", 2)


def test_prefect_learns_no_code_no_default_and_no_docstring(stack, registered):
    known = as_prefect_has_it(stack, registered(doubled)).model_dump_json()
    for private in ("hunter2", "nobody's business", "double.map", "__main__", "satflow-store"):
        assert private not in known
    assert stack.record.store_token not in known
    assert stack.record.store_url not in known


def test_deployment_names_store_and_manifest_and_nothing_else(stack, registered):
    done = registered(doubled)
    row = as_prefect_has_it(stack, done)
    assert row.pull_steps == [{"satflow_ext.runtime.pull": {"store": "local", "manifest": done.manifest}}]
    assert row.parameter_openapi_schema["properties"].keys() == {"count", "secret"}
    assert row.enforce_parameter_schema


def test_schedule_is_prefects_own(stack, registered):
    done = registered(doubled, schedule=CronSchedule(cron="30 6 * * 1-5", timezone="Europe/Berlin"))
    (schedule,) = as_prefect_has_it(stack, done).schedules
    assert (schedule.schedule.cron, schedule.schedule.timezone, schedule.active) == (
        "30 6 * * 1-5",
        "Europe/Berlin",
        True,
    )
    assert len(done.deployment.next_runs) == 5
    assert {(moment.hour, moment.minute) for moment in done.deployment.next_runs} == {(6, 30)}


def test_pausing_and_resuming(stack, registered):
    done = registered(doubled, schedule=IntervalSchedule(seconds=86400))
    paused = asyncio.run(queries.set_paused(stack.endpoints, stack.settings, done.deployment.id, True))
    assert (paused.paused, paused.next_runs) == (True, ())
    resumed = asyncio.run(queries.set_paused(stack.endpoints, stack.settings, done.deployment.id, False))
    assert not resumed.paused
    assert resumed.next_runs


def test_a_schedule_that_was_switched_off_in_prefect_is_paused_until_it_is_resumed(stack, registered):
    done = registered(doubled, schedule=IntervalSchedule(seconds=86400))

    (schedule,) = as_prefect_has_it(stack, done).schedules

    async def switch_off():
        async with stock_client(stack.endpoints.prefect) as client:
            await client.update_deployment_schedule(done.deployment.id, schedule.id, active=False)

    asyncio.run(switch_off())
    found = asyncio.run(queries.get_deployment(stack.endpoints, done.deployment.id))
    assert (found.paused, found.next_runs) == (True, ())
    resumed = asyncio.run(queries.set_paused(stack.endpoints, stack.settings, done.deployment.id, False))
    assert not resumed.paused
    assert resumed.next_runs


def test_next_version_of_a_paused_deployment_stays_paused(stack, registered):
    done = registered(doubled, schedule=IntervalSchedule(seconds=86400))
    asyncio.run(queries.set_paused(stack.endpoints, stack.settings, done.deployment.id, True))
    assert registered(doubled, schedule=IntervalSchedule(seconds=3600)).deployment.paused


def test_deleted_is_gone_from_the_list(stack, registered):
    done = registered(doubled)
    listed = asyncio.run(queries.list_deployments(stack.endpoints))
    assert done.deployment in listed
    asyncio.run(queries.delete_deployment(stack.endpoints, stack.settings, done.deployment.id))
    assert done.deployment.id not in {d.id for d in asyncio.run(queries.list_deployments(stack.endpoints))}


# --- runs ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "executor",
    [
        ExecutorChoice(),
        ExecutorChoice(name="processes", options={"max_workers": 2}),
        # The local stack does not know this size: what it means travels with the flow.
        ExecutorChoice(name="dask-local", options={"n_workers": 2, "worker_size": "tiny"}),
    ],
    ids=lambda choice: choice.name,
)
def test_each_executor_runs_a_flow_to_its_end(stack, registered, ran, executor):
    here = stack.settings.model_copy(update={"worker_sizes": {"tiny": SizeSettings(cores=1, memory=0.5)}})
    detail = ran(registered(doubled, settings=here, executor=executor), count=3)
    assert detail.run.state_type == "COMPLETED", detail
    assert "doubled [0, 2, 4]" in log_of(stack, detail.run.id)


def test_flow_that_raises_shows_its_traceback(stack, registered, ran):
    detail = ran(registered(fails))
    assert detail.run.state_type == "FAILED"
    assert detail.failure.cause == "ValueError: because"
    log_of(stack, detail.run.id)  # the traceback is one of its last lines
    detail = asyncio.run(runs.read_run_detail(stack.endpoints.prefect, detail.run.id))
    assert detail.failure.cause == "ValueError: because"
    assert "raise ValueError(reason)" in detail.failure.traceback


def test_missing_content_says_so_in_the_runs_own_log(stack, registered, ran):
    done = registered(doubled)
    for file in (stack.settings.state_dir / "store").rglob("*"):
        if done.content.removeprefix("sha256:") in file.name:
            file.unlink()
    detail = ran(done)
    assert detail.run.state_type == "FAILED"
    assert f"has no content {done.content}" in log_of(stack, detail.run.id)
    again = registered(doubled)
    assert (again.outcome, ran(again).run.state_type) == ("changed", "COMPLETED"), "what the message says helps"


# --- refused ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("choices", "error"),
    [
        ({"executor": ExecutorChoice(name="spark")}, UnknownExecutor),
        ({"schedule": CronSchedule(cron="* * * * * *")}, InvalidSchedule),
        ({"schedule": IntervalSchedule(seconds=0)}, InvalidSchedule),
        ({"parameters": {"secret": "x" * 600_000}}, ParametersTooLarge),
        ({"work_pool": "nowhere"}, WorkPoolNotFound),
        ({"name": "a/b"}, BadRequest),
    ],
)
def test_refused_choice_leaves_the_earlier_version(stack, registered, choices, error):
    first = registered(doubled)
    with pytest.raises(error):
        registered(doubled, **choices)
    assert as_prefect_has_it(stack, first).version == "1"


def test_schedule_without_a_required_parameter_is_refused(registered):
    with pytest.raises(InvalidParameter, match="year"):
        registered(needs, schedule=IntervalSchedule(seconds=60))


def refused(packed, stack, endpoints):
    return asyncio.run(register(packed(doubled), Registration(name="refused"), endpoints, stack.settings))


def test_prefect_is_down(packed, stack, closed_port):
    down = replace(stack.endpoints, prefect=replace(stack.endpoints.prefect, url=f"http://127.0.0.1:{closed_port}/api"))
    with pytest.raises(PrefectUnreachable, match="Nothing answers"):
        refused(packed, stack, down)


def test_prefect_refuses_the_credential(packed, stack):
    stranger = replace(stack.endpoints, prefect=replace(stack.endpoints.prefect, auth_string="a:b"))
    with pytest.raises(PrefectUnauthorized):
        refused(packed, stack, stranger)


def test_prefect_url_of_something_else(packed, stack):
    wrong = replace(stack.endpoints, prefect=replace(stack.endpoints.prefect, url=stack.record.store_url))
    with pytest.raises((PrefectUnreachable, PrefectUnauthorized)):
        refused(packed, stack, wrong)


def test_store_is_down(packed, stack, closed_port):
    down = replace(stack.endpoints.store, url=f"http://127.0.0.1:{closed_port}/{{digest}}")
    with pytest.raises(StoreUnreachable):
        refused(packed, stack, replace(stack.endpoints, store=down))


def test_store_refuses_the_credential(packed, stack):
    stranger = replace(stack.endpoints.store, headers={"Authorization": "Bearer wrong"})
    with pytest.raises(StoreUnauthorized):
        refused(packed, stack, replace(stack.endpoints, store=stranger))


def test_no_work_pool_named_and_several_there(packed, stack, name):
    asyncio.run(make_work_pool(stack.endpoints, "another"))
    several = r"No work pool was chosen, and the Prefect server has several\. Choose one of .*another.*satflow-local"
    with pytest.raises(BadRequest, match=several) as caught:
        asyncio.run(
            register(packed(doubled), Registration(name=name), replace(stack.endpoints, work_pool=None), stack.settings)
        )
    assert caught.value.field == "work_pool"


def test_nothing_private_in_the_manifest_either(stack, registered):
    """The manifest is in the user's own store; secrets are not even there."""
    done = registered(doubled)
    from satflow_ext.versions import manifest_store

    manifest = asyncio.run(manifest_store.read_manifest(stack.endpoints.store, done.manifest))
    assert stack.record.store_token not in json.dumps(manifest.model_dump(mode="json"))
