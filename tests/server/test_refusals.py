"""Bad input: each has a status, an error's name and the field that it stands in."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from satflow_ext.server.clusters import ClusterManager
from tests.bad_clusters import BAD

MISSING = "00000000-0000-4000-8000-000000000000"
EVERY_MINUTE = {"kind": "interval", "seconds": 60}


@pytest.mark.parametrize(
    ("method", "path", "body", "error", "field"),
    [
        ("POST", "schedules/preview", "{", "BadRequest", None),
        ("POST", "schedules/preview", b"\xff", "BadRequest", None),
        ("POST", "schedules/preview", [], "BadRequest", None),
        ("POST", "schedules/preview", {"schedule": {"kind": "cron"}}, "BadRequest", "schedule.cron"),
        ("POST", "schedules/preview", {"schedule": {"kind": "yearly"}}, "BadRequest", "schedule"),
        ("POST", "schedules/preview", {"schedule": EVERY_MINUTE, "count": 0}, "BadRequest", "count"),
        ("POST", "schedules/preview", {"schedule": EVERY_MINUTE, "more": 1}, "BadRequest", "more"),
        (
            "POST",
            "schedules/preview",
            {"schedule": {"kind": "cron", "cron": "often"}},
            "InvalidSchedule",
            "schedule.cron",
        ),
        (
            "POST",
            "schedules/preview",
            {"schedule": {"kind": "cron", "cron": "* * * * * *"}},
            "InvalidSchedule",
            "schedule.cron",
        ),
        (
            "POST",
            "schedules/preview",
            {"schedule": {"kind": "cron", "cron": "0 6 * * *", "timezone": "Mars/Base"}},
            "InvalidSchedule",
            "schedule.timezone",
        ),
        (
            "POST",
            "schedules/preview",
            {"schedule": {"kind": "interval", "seconds": 0}},
            "InvalidSchedule",
            "schedule.seconds",
        ),
        ("POST", "runs", {"deployment_id": MISSING}, "BadRequest", "idempotency_key"),
        ("POST", "deployments", {"variable": "f"}, "BadRequest", "kernel_id"),
        ("PATCH", f"deployments/{MISSING}", {"paused": "perhaps"}, "BadRequest", "paused"),
    ],
)
async def test_a_body_that_makes_no_sense(browser, method, path, body, error, field):
    code, told = await browser.refused(method, path, body)
    assert (code, told.error, told.field) == (HTTPStatus.BAD_REQUEST, error, field)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"state_type": "DONE"}, "state_type"),
        ({"page": "2"}, "page"),
    ],
)
async def test_a_query_that_makes_no_sense(browser, query, field):
    code, told = await browser.refused("GET", "runs", params=query)
    assert (code, told.error, told.field) == (HTTPStatus.BAD_REQUEST, "BadRequest", field)


async def test_the_time_that_jupyterlab_appends_is_no_mistake(browser):
    assert (await browser.raw("GET", "runs", params={"1795240217000": ""})).code == HTTPStatus.OK


async def test_a_form_is_no_json(browser):
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    code, told = await browser.refused("POST", "runs", "a=b", headers=headers)
    assert (code, told.error) == (HTTPStatus.BAD_REQUEST, "BadRequest")


@pytest.mark.parametrize(
    ("method", "path", "body", "error"),
    [
        ("GET", f"runs/{MISSING}", None, "RunNotFound"),
        ("GET", "runs/nonsense", None, "RunNotFound"),
        ("GET", f"runs/{MISSING}/log", None, "RunNotFound"),
        ("POST", f"runs/{MISSING}/cancel", None, "RunNotFound"),
        ("POST", "runs", {"deployment_id": MISSING, "idempotency_key": "k"}, "DeploymentNotFound"),
        ("PATCH", f"deployments/{MISSING}", {"paused": True}, "DeploymentNotFound"),
        ("DELETE", f"deployments/{MISSING}", None, "DeploymentNotFound"),
        ("DELETE", "deployments/nonsense", None, "DeploymentNotFound"),
        ("POST", "deployments", {"kernel_id": MISSING, "variable": "f"}, "KernelNotFound"),
        ("GET", "nowhere", None, "NotFound"),
    ],
)
async def test_things_that_are_not_there(browser, method, path, body, error):
    code, told = await browser.refused(method, path, body)
    assert (code, told.error) == (HTTPStatus.NOT_FOUND, error)


async def test_parameters_over_the_limit(browser):
    body = {"deployment_id": MISSING, "idempotency_key": "k", "parameters": {"text": "x" * 600_000}}
    code, told = await browser.refused("POST", "runs", body)
    assert (code, told.error, told.field) == (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "ParametersTooLarge", "parameters")


async def test_a_body_over_any_limit(browser):
    body = {"deployment_id": MISSING, "idempotency_key": "k", "parameters": {"text": "x" * 5_000_000}}
    code, told = await browser.refused("POST", "runs", body)
    assert (code, told.error) == (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "ParametersTooLarge")


@pytest.mark.parametrize(
    ("choice", "error", "field"),
    [
        ({"executor": {"name": "thread"}}, "UnknownExecutor", "executor.name"),
        (
            {"executor": {"name": "threads", "options": {"workers": 1}}},
            "InvalidExecutorOption",
            "executor.options.workers",
        ),
        ({"work_pool": "no-such-pool"}, "WorkPoolNotFound", "work_pool"),
        ({"schedules": [{"kind": "cron", "cron": "* * * * * *"}]}, "InvalidSchedule", "schedules.0.cron"),
        ({"parameters": {"n": "three"}}, "InvalidParameter", "parameters.n"),
        ({"parameters": {"names": {"a": [1, "x"]}}}, "InvalidParameter", "parameters.names.a.1"),
        ({"secrets": ["not a name"]}, "InvalidSecretName", "secrets"),
    ],
)
async def test_choices_that_are_refused(browser, open_kernel, choice, error, field):
    async with open_kernel() as kernel:
        await kernel.run(
            "from prefect import flow\n@flow\ndef f(n: int = 1, names: dict[str, list[int]] = {}): return n"
        )
        code, told = await browser.refused("POST", "deployments", {"kernel_id": kernel.id, "variable": "f", **choice})
    assert (told.error, told.field) == (error, field)
    assert HTTPStatus.BAD_REQUEST <= code < HTTPStatus.INTERNAL_SERVER_ERROR


async def test_clusters_that_nobody_can_have(browser, open_kernel):
    async with open_kernel() as kernel:
        await kernel.run("from prefect import flow\n@flow\ndef f(): pass")
        for bad in BAD.values():
            executor = {"name": bad.executor, "options": bad.options}
            body = {"kernel_id": kernel.id, "variable": "f", "executor": executor}
            code, told = await browser.refused("POST", "deployments", body)
            assert (told.error, told.field) == (bad.error, bad.field)
            assert told.message.startswith(bad.said) or f"{told.message} {told.fix}".startswith(bad.said)
            assert HTTPStatus.BAD_REQUEST <= code < HTTPStatus.INTERNAL_SERVER_ERROR


class TestPrefectOutOfReach:
    """With a Prefect API in the settings that cannot be used, each way has its own error; nothing hangs."""

    @pytest.fixture(autouse=True)
    def _no_local_store(self, monkeypatch):
        monkeypatch.setenv("SATFLOW_STORE", "elsewhere")
        monkeypatch.setenv("SATFLOW_STORES__ELSEWHERE__URL", "http://127.0.0.1:1/{digest}")

    @pytest.mark.parametrize("path", ["runs", "catalogue", "deployments", f"runs/{MISSING}"])
    async def test_nothing_answers(self, browser, monkeypatch, path):
        monkeypatch.setenv("SATFLOW_PREFECT_API_URL", "http://127.0.0.1:1/api")
        code, told = await browser.refused("GET", path)
        assert (code, told.error) == (HTTPStatus.BAD_GATEWAY, "PrefectUnreachable")

    async def test_a_wrong_credential(self, browser, monkeypatch, prefect_api):
        monkeypatch.setenv("SATFLOW_PREFECT_API_URL", prefect_api.url)
        monkeypatch.setenv("PREFECT_API_AUTH_STRING", "who:ever")
        code, told = await browser.refused("GET", "runs")
        assert (code, told.error) == (HTTPStatus.BAD_GATEWAY, "PrefectUnauthorized")
        assert "who:ever" not in told.message

    async def test_a_wrong_url(self, browser, monkeypatch, prefect_api):
        monkeypatch.setenv("SATFLOW_PREFECT_API_URL", prefect_api.url.removesuffix("/api"))
        monkeypatch.setenv("PREFECT_API_AUTH_STRING", prefect_api.auth_string)
        code, told = await browser.refused("GET", "runs")
        assert (code, told.error) == (HTTPStatus.BAD_GATEWAY, "PrefectUnreachable")


async def test_settings_that_cannot_be_read(browser, monkeypatch):
    monkeypatch.setenv("SATFLOW_CONTENT_LIMIT", "much")
    code, told = await browser.refused("GET", "stack")
    assert (code, told.error) == (HTTPStatus.CONFLICT, "SettingsWrong")
    monkeypatch.delenv("SATFLOW_CONTENT_LIMIT")
    assert (await browser.raw("GET", "stack")).code == HTTPStatus.OK


async def test_what_nobody_meant_is_told_without_its_traceback(browser, monkeypatch):
    monkeypatch.delattr(ClusterManager, "list_all")
    code, told = await browser.refused("GET", "clusters")
    assert (code, told.error) == (HTTPStatus.INTERNAL_SERVER_ERROR, "InternalServerError")
    assert "list_all" not in told.message
