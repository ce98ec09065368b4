"""Clusters that are warm before a scheduled run: the local stack's own doing, and that of the command elsewhere."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
from prefect import flow

from satflow_ext import cli, endpoints
from satflow_ext.clusters import deployment_clusters, prewarming
from satflow_ext.deployments import queries
from satflow_ext.models import ExecutorChoice, IntervalSchedule, Registration, RunQuery
from satflow_ext.registration import register
from satflow_ext.registration.prewarm_request import request_file
from satflow_ext.runs import list_runs
from satflow_ext.settings import load_settings
from tests.gateways.serving import OF_THE_TEAM, PASSWORD, serving_gateway
from tests.registration.screens import make_work_pool

CHOICE = ExecutorChoice(name="dask-cluster", options={"n_workers": 1, "prewarm": 3600, "idle_timeout": 3600})
EVERY = IntervalSchedule(seconds=3600)
LONG = 120.0


@flow
def comes_later():
    return 1


def test_a_scheduled_run_has_its_cluster_ahead(stack, registered):
    """The run comes within the hour that the cluster is wanted ahead; nobody but the stack starts the cluster."""
    where, here = stack.endpoints, stack.settings
    done = registered(comes_later, executor=CHOICE, schedule=EVERY).deployment
    assert request_file(here).exists()
    deadline = time.monotonic() + LONG
    while (seen := asyncio.run(deployment_clusters.read_cluster(where, here, done.id))).workers != 1:
        assert time.monotonic() < deadline, seen
        time.sleep(0.5)
    assert not asyncio.run(list_runs(where.prefect, RunQuery(deployment_id=done.id)))
    asyncio.run(deployment_clusters.close_cluster(where, here, done.id))
    asyncio.run(queries.delete_deployment(where, here, done.id))
    assert asyncio.run(prewarming.list_prewarm_requests(where)) == {}
    asyncio.run(prewarming.prewarm_local_stack(here))
    assert not request_file(here).exists()


@pytest.fixture
def team(stack, other_prefect, tmp_path, monkeypatch):
    """A Prefect server and a Dask Gateway of a team."""
    with serving_gateway(tmp_path) as gateway:
        monkeypatch.setenv("PREFECT_API_URL", other_prefect.url)
        monkeypatch.setenv("PREFECT_API_AUTH_STRING", other_prefect.auth_string)
        monkeypatch.setenv("SATFLOW_GATEWAYS__TEAM", gateway.model_dump_json())
        monkeypatch.setenv(PASSWORD, OF_THE_TEAM)
        settings = load_settings()
        yield SimpleNamespace(
            settings=settings, endpoints=endpoints.resolve_endpoints(settings, endpoints.read_record(settings))
        )


def test_a_command_does_it_for_a_prefect_server_of_others(team, packed, name, tmp_path):
    where, here = team.endpoints, team.settings
    asyncio.run(make_work_pool(where, name))
    choice = ExecutorChoice(name="dask-cluster", options={**CHOICE.options, "gateway": "team"})
    said = tmp_path / "said"
    wanted = Registration(name=name, work_pool=name, executor=choice, schedules=(EVERY,))
    done = asyncio.run(register(packed(comes_later), wanted, where, here)).deployment
    words = [sys.executable, "-m", "satflow_ext.cli", "clusters", "prewarm"]
    with said.open("wb") as log, subprocess.Popen(words, stderr=log) as command:
        try:
            until(command, said, f"{done.flow_name}/{name}: its cluster is ready")
        finally:
            command.terminate()
    assert command.returncode == 128 + signal.SIGTERM
    assert asyncio.run(deployment_clusters.read_cluster(where, here, done.id)).workers == 1
    assert "Traceback" not in said.read_text()
    assert OF_THE_TEAM not in said.read_text()
    asyncio.run(deployment_clusters.close_cluster(where, here, done.id))


def test_the_command_is_not_for_the_local_stack(stack, capsys):
    assert cli.main(["clusters", "prewarm"]) == 1
    assert "starts clusters ahead of runs itself" in capsys.readouterr().err


def until(command, said, words):
    deadline = time.monotonic() + LONG
    while words not in said.read_text():
        assert command.poll() is None, said.read_text()
        assert time.monotonic() < deadline, said.read_text()
        time.sleep(0.3)
