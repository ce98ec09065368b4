"""A store that stops being one, under a flow that is registered with it: each way has its error, and what was there stays."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID, uuid4

import pytest

from satflow_ext.models import Registered, Run, RunDetail
from tests.prefect_clients import stock_client
from tests.server.doubling import reaches
from tests.webhook import endpoint, moody

FLOW = """
import satflow_ext
from prefect import flow, get_run_logger

@flow
def kept():
    get_run_logger().info("version {}")
"""
BINARY = "application/octet-stream"
MOODS = {
    "StoreFull, no room": ((507, b"", BINARY, {}), "StoreFull", "has no room for sha256:"),
    "StoreFull, too large": ((413, b"", BINARY, {}), "StoreFull", "has no room for sha256:"),
    "login page": (
        (200, b"<html>Log in</html>", "text/html", {}),
        "StoreAnsweredHtml",
        "a web page, perhaps a login page",
    ),
    "redirect": (
        (302, b"", "text/html", {"Location": "/login"}),
        "StoreFailed",
        "a redirect (302), which is not followed",
    ),
}


@pytest.fixture
def team_store(settings_file, monkeypatch):
    """A store that this Jupyter server, its kernels and the local stack's flow runs know."""
    handler = moody()
    with endpoint(handler) as url:
        settings_file.write_text(f"[stores.team]\nurl = '{url}/{{digest}}'\n")
        monkeypatch.setenv("SATFLOW_STORE", "team")
        yield handler


async def pinned(prefect_api, deployment_id: str) -> tuple[object, object]:
    async with stock_client(prefect_api) as client:
        row = await client.read_deployment(UUID(deployment_id))
    return row.version, row.pull_steps


async def test_a_store_in_any_bad_mood_costs_nothing(browser, open_kernel, prefect_api, team_store):
    async with open_kernel() as kernel:
        await kernel.run(FLOW.format(1))
        wanted = {"kernel_id": kernel.id, "variable": "kept", "name": f"kept-{uuid4().hex[:6]}"}
        made = await browser.ask(Registered, "POST", "deployments", wanted)
        before = await pinned(prefect_api, made.deployment.id)
        await kernel.run(FLOW.format(2))
        for mood, error, words in MOODS.values():
            team_store.mood = mood
            code, told = await browser.refused("POST", "deployments", wanted)
            assert (code, told.error) == (HTTPStatus.BAD_GATEWAY, error)
            assert words in told.message
            assert told.fix
            reply = await kernel.run(f"satflow_ext.register(kept, name={wanted['name']!r})")
            assert (reply["status"], reply["ename"]) == ("error", error)
            assert words in reply["evalue"]
            assert told.fix in reply["evalue"]
            assert await pinned(prefect_api, made.deployment.id) == before
        team_store.mood = None
        press = {"deployment_id": made.deployment.id, "idempotency_key": uuid4().hex}
        run = await browser.ask(Run, "POST", "runs", press)
        found: RunDetail = await reaches(browser, run.id)
        assert found.run.state_type == "COMPLETED", found
        log = await browser.raw("GET", f"runs/{run.id}/log")
        assert b"version 1" in log.body
        assert (await browser.ask(Registered, "POST", "deployments", wanted)).deployment.version == 2
