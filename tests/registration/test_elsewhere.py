"""Nothing of the local stack: a team's Prefect server with an auth string, its stock worker, and nginx as the store."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from types import SimpleNamespace
from uuid import uuid4

import pytest
from prefect import flow, get_run_logger

from satflow_ext import endpoints, runs
from satflow_ext.errors import BadRequest, SettingsWrong, WorkPoolNotFound
from satflow_ext.keys import Keyring
from satflow_ext.models import Registration, RunRequest
from satflow_ext.registration import register
from satflow_ext.settings import load_settings
from tests.environments.locks import OTHER, changed
from tests.flow_runs import ended, log_of
from tests.prefect_clients import stock_client
from tests.prefect_objects import until_pool_exists
from tests.registration.nginx import running_nginx

CREDENTIAL = "Bearer a-credential-of-the-team"


@flow
def elsewhere(name: str = "world"):
    get_run_logger().info("hello %s", name)


@pytest.fixture
def team(other_prefect, tmp_path, monkeypatch):
    """The settings of a machine of that team, as environment variables; the worker's machine has the same."""
    with running_nginx(tmp_path, CREDENTIAL) as url:
        monkeypatch.setenv("PREFECT_API_URL", other_prefect.url)
        monkeypatch.setenv("PREFECT_API_AUTH_STRING", other_prefect.auth_string)
        monkeypatch.setenv("SATFLOW_STORE", "team")
        monkeypatch.setenv("SATFLOW_STORES__TEAM__URL", url)
        monkeypatch.setenv("SATFLOW_STORES__TEAM__HEADERS", '{"Authorization": "TEAM_STORE_AUTH"}')
        monkeypatch.setenv("TEAM_STORE_AUTH", CREDENTIAL)
        settings = load_settings()
        assert endpoints.list_needed_services(settings) == frozenset()
        yield SimpleNamespace(settings=settings, endpoints=endpoints.resolve_endpoints(settings, None))


@pytest.fixture
def work_pool(team, house, tmp_path):
    """A work pool of the team, polled by a stock Prefect worker of another user, who was given the public key."""
    name = f"team-{uuid4().hex[:8]}"
    there = {
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        "SATFLOW_STATE_DIR": str(house / name),
        "SATFLOW_TRUSTED_KEYS": Keyring(team.settings).get_signer().public_key.text,
    }
    command = [sys.executable, "-m", "prefect", "worker", "start", "--type", "process", "--pool", name]
    with (tmp_path / "worker.log").open("wb") as log:
        worker = subprocess.Popen(command, env={**os.environ, **there}, cwd=tmp_path, stdout=log, stderr=log)
    yield name
    worker.terminate()
    worker.wait(timeout=30)


def test_registered_and_run_elsewhere(team, work_pool, packed):
    asyncio.run(until_pool_exists(team.endpoints.prefect, work_pool))
    wanted = Registration(work_pool=work_pool)
    done = asyncio.run(register(packed(elsewhere), wanted, team.endpoints, team.settings))
    assert done.outcome == "created"
    again = asyncio.run(register(packed(elsewhere), wanted, team.endpoints, team.settings))
    assert again.outcome == "unchanged"

    request = RunRequest(deployment_id=done.deployment.id, parameters={"name": "team"}, idempotency_key=str(uuid4()))
    detail = ended(team, asyncio.run(runs.start_run(team.endpoints.prefect, request)).id)
    assert detail.run.state_type == "COMPLETED", detail
    assert "hello team" in log_of(team, detail.run.id)


@flow
def tells_of_toolz():
    import sys

    import toolz

    get_run_logger().info(f"toolz {toolz.__version__} in {sys.prefix}")


def test_recreated_elsewhere(team, work_pool, packed):
    """The worker's own command starts the run: its supervisor has done the pull step, and the loader does the rest."""
    asyncio.run(until_pool_exists(team.endpoints.prefect, work_pool))
    wanted = Registration(work_pool=work_pool, environment="recreate")
    other = changed(packed(tells_of_toolz), "toolz", version=OTHER)
    done = asyncio.run(register(other, wanted, team.endpoints, team.settings))
    request = RunRequest(deployment_id=done.deployment.id, idempotency_key=str(uuid4()))
    detail = ended(team, asyncio.run(runs.start_run(team.endpoints.prefect, request)).id, patience=240)
    log = log_of(team, detail.run.id)
    assert detail.run.state_type == "COMPLETED", log
    assert f"toolz {OTHER} in [environment]" in log, "folders are told to another Prefect by their names"


def test_store_credential_is_nowhere_in_prefect(team, work_pool, packed):
    asyncio.run(until_pool_exists(team.endpoints.prefect, work_pool))
    done = asyncio.run(
        register(packed(elsewhere), Registration(name="secret", work_pool=work_pool), team.endpoints, team.settings)
    )

    async def read():
        async with stock_client(team.endpoints.prefect) as client:
            return (await client.read_deployment(done.deployment.id)).model_dump_json()

    known = asyncio.run(read())
    assert CREDENTIAL not in known
    assert "/contents/" not in known
    assert "127.0.0.1" not in known


def test_without_a_work_pool_the_message_names_what_to_do(team, packed):
    with pytest.raises((WorkPoolNotFound, BadRequest)) as caught:
        asyncio.run(register(packed(elsewhere), Registration(), team.endpoints, team.settings))
    assert caught.value.field == "work_pool"


def test_missing_variable_of_a_store_is_named(team, monkeypatch):
    monkeypatch.delenv("TEAM_STORE_AUTH")
    with pytest.raises(SettingsWrong, match="needs the environment variable TEAM_STORE_AUTH"):
        endpoints.resolve_endpoints(load_settings(), None)


def test_unknown_store_is_named(team, monkeypatch):
    monkeypatch.setenv("SATFLOW_STORE", "teem")
    with pytest.raises(SettingsWrong, match="No store is named 'teem'"):
        endpoints.resolve_endpoints(load_settings(), None)


def test_wrong_settings_are_named(monkeypatch):
    monkeypatch.setenv("SATFLOW_STORES__TEAM__URL", "ftp://files/{digest}")
    with pytest.raises(SettingsWrong, match=r"stores\.team\.url: .*must start with http"):
        load_settings()
