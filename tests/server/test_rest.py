"""Every route on the real stack: from a kernel's flow to a run that has ended. `ask` takes no reply that is not of its model."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from uuid import uuid4

import pytest

from satflow_ext.models import (
    Catalogue,
    ClusterList,
    Deployment,
    DeploymentList,
    Registered,
    Run,
    RunList,
    SchedulePreview,
    StackStatus,
)
from tests.server.doubling import FLOW, ended, reaches


async def test_from_cell_to_completed_run(browser, open_kernel):
    async with open_kernel() as kernel:
        await kernel.run(FLOW)
        wanted = {
            "kernel_id": kernel.id,
            "variable": "doubling",
            "notebook": "demo.ipynb",
            "include": ["pyproject.toml"],
        }
        name = f"doubling-{uuid4().hex[:6]}"
        first = await browser.raw("POST", "deployments", {**wanted, "name": name})
        assert first.code == HTTPStatus.CREATED
        made = Registered.model_validate_json(first.body)
        assert (made.outcome, made.deployment.version) == ("created", 1)
        assert [file.path for file in made.files] == ["pyproject.toml"]
        again = await browser.raw("POST", "deployments", {**wanted, "name": name})
        assert again.code == HTTPStatus.OK
        assert Registered.model_validate_json(again.body).outcome == "unchanged"

    deployment_id = made.deployment.id
    listed = await browser.ask(DeploymentList, "GET", "deployments")
    assert deployment_id in [deployment.id for deployment in listed.deployments]

    press = {"deployment_id": deployment_id, "parameters": {"n": 5}, "idempotency_key": uuid4().hex}
    run = await browser.ask(Run, "POST", "runs", press)
    assert (await browser.ask(Run, "POST", "runs", press)).id == run.id
    found = await reaches(browser, run.id)
    assert (found.run.state_type, found.failure) == ("COMPLETED", None)
    assert found.run.parameters == {"n": 5}
    (only,) = (await browser.ask(RunList, "GET", "runs", params={"deployment_id": deployment_id})).runs
    assert only.id == run.id

    log = await browser.raw("GET", f"runs/{run.id}/log")
    assert log.headers["Content-Type"].startswith("text/plain")
    assert log.headers["Content-Disposition"].startswith("attachment")
    assert b"doubling 5" in log.body

    paused = await browser.ask(Deployment, "PATCH", f"deployments/{deployment_id}", {"paused": True})
    assert paused.paused
    gone = await browser.raw("DELETE", f"deployments/{deployment_id}")
    assert (gone.code, gone.body) == (HTTPStatus.NO_CONTENT, b"")
    code, error = await browser.refused("DELETE", f"deployments/{deployment_id}")
    assert (code, error.error) == (HTTPStatus.NOT_FOUND, "DeploymentNotFound")


async def test_values_are_what_the_flow_takes(browser, open_kernel):
    async with open_kernel() as kernel:
        await kernel.run(
            "import datetime as dt, uuid\nfrom prefect import flow\n"
            "@flow\ndef typed(span: dt.timedelta, clock: dt.time, key: uuid.UUID): pass"
        )
        given = {"span": 3600, "clock": "07:30", "key": "12345678123456781234567812345678"}
        wanted = {"kernel_id": kernel.id, "variable": "typed", "name": f"typed-{uuid4().hex[:6]}", "parameters": given}
        made = Registered.model_validate_json((await browser.raw("POST", "deployments", wanted)).body)
    assert made.deployment.parameters == {**given, "span": "PT1H"}
    press = {"deployment_id": made.deployment.id, "parameters": {"span": 60}, "idempotency_key": uuid4().hex}
    run = await browser.ask(Run, "POST", "runs", press)
    assert run.parameters == {**given, "span": "PT1M"}
    code, told = await browser.refused("POST", "runs", {**press, "parameters": {"clock": "7h"}})
    assert (code, told.field) == (HTTPStatus.BAD_REQUEST, "parameters.clock")
    assert "a time such as 07:30" in told.message


async def test_two_tabs_that_register_at_once(browser, open_kernel, caplog):
    async with open_kernel() as kernel:
        await kernel.run(FLOW)
        wanted = {"kernel_id": kernel.id, "variable": "doubling", "name": f"tabs-{uuid4().hex[:6]}"}
        replies = await asyncio.gather(*[browser.raw("POST", "deployments", wanted) for _ in range(2)])
        assert sorted(reply.code for reply in replies) == [HTTPStatus.OK, HTTPStatus.CREATED]
        first, second = [Registered.model_validate_json(reply.body) for reply in replies]
        assert (first.manifest, first.deployment.version) == (second.manifest, 1)

        deployment_id = first.deployment.id
        press = {"deployment_id": deployment_id, "parameters": {"n": "a-value-of-the-user"}, "idempotency_key": "k"}
        with caplog.at_level("INFO"):
            code, told = await browser.refused("POST", "runs", press)
    assert (code, told.field) == (HTTPStatus.BAD_REQUEST, "parameters.n")
    assert "InvalidParameter: parameters.n is not valid." in caplog.text
    assert "a-value-of-the-user" not in caplog.text + told.message


async def test_a_failing_flow_s_traceback(browser, open_kernel):
    async with open_kernel() as kernel:
        await kernel.run(FLOW)
        made = await browser.ask(Registered, "POST", "deployments", {"kernel_id": kernel.id, "variable": "failing"})
    press = {"deployment_id": made.deployment.id, "idempotency_key": uuid4().hex}
    run = await browser.ask(Run, "POST", "runs", press)
    found = await reaches(browser, run.id, ended)
    assert found.run.state_type == "FAILED"
    # The state may be there before the log that tells why.
    found = await reaches(browser, run.id, lambda found: found.failure is not None and bool(found.failure.traceback))
    assert found.failure.cause == "ValueError: no tiles today"
    assert (found.failure.traceback or "").startswith("Traceback (most recent call last):")


async def test_what_the_form_offers(browser):
    catalogue = await browser.ask(Catalogue, "GET", "catalogue")
    assert "dask-local" in [executor.name for executor in catalogue.executors]
    assert catalogue.default_work_pool in [pool.name for pool in catalogue.work_pools]
    (pool,) = [pool for pool in catalogue.work_pools if pool.name == catalogue.default_work_pool]
    assert "command" not in pool.job_variables["properties"], "the local stack has one of its own"
    assert "working_dir" in pool.job_variables["properties"]
    assert pool.online_workers >= 1


async def test_the_stack_is_ready(browser):
    await browser.ask(RunList, "GET", "runs")
    status = await browser.ask(StackStatus, "GET", "stack")
    assert (status.kind, status.state) == ("local", "ready")
    reply = await browser.raw("POST", "stack")
    assert reply.code == HTTPStatus.ACCEPTED
    assert StackStatus.model_validate_json(reply.body).state == "ready"


async def test_clusters(browser):
    await browser.ask(ClusterList, "GET", "clusters")


async def test_a_cancelled_run(browser, open_kernel):
    async with open_kernel() as kernel:
        await kernel.run("import time\nfrom prefect import flow\n@flow\ndef sleeping():\n    time.sleep(120)")
        made = await browser.ask(Registered, "POST", "deployments", {"kernel_id": kernel.id, "variable": "sleeping"})
    press = {"deployment_id": made.deployment.id, "idempotency_key": uuid4().hex}
    run = await browser.ask(Run, "POST", "runs", press)
    await reaches(browser, run.id, lambda found: found.run.state_type == "RUNNING")
    reply = await browser.raw("POST", f"runs/{run.id}/cancel")
    assert reply.code == HTTPStatus.ACCEPTED
    assert Run.model_validate_json(reply.body).state_type == "CANCELLING"
    assert (await reaches(browser, run.id)).run.state_type == "CANCELLED"


@pytest.mark.parametrize("cron", ["0 6 * * *", "*/5 * * * 1-5"])
async def test_next_runs(browser, cron):
    schedule = {"kind": "cron", "cron": cron, "timezone": "Europe/Berlin"}
    preview = await browser.ask(SchedulePreview, "POST", "schedules/preview", {"schedule": schedule, "count": 3})
    assert len(preview.next_runs) == 3
