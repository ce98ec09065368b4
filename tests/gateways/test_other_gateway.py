"""A Dask Gateway of somebody else's, with few options and a limit: what it gives, and what it refuses before anything runs."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace
from uuid import uuid4

import pytest

from satflow_ext import executors
from satflow_ext.errors import GatewayRefused, GatewayUnauthorized, GatewayUnreachable, SettingsWrong, SizeRefused
from satflow_ext.gateways import cluster_start, connection, shared_clusters
from satflow_ext.gateways.cluster_request import GatewayClusterRequest, set_options
from satflow_ext.gateways.cluster_start import release_cluster
from satflow_ext.gateways.connection import connect_gateway, locate_gateway
from satflow_ext.models import ExecutorChoice
from satflow_ext.registration.checks import check_offer
from satflow_ext.settings import GIB, GatewaySettings, Settings
from tests.gateways.pretending import answering
from tests.gateways.serving import OF_THE_TEAM, PASSWORD, serving_gateway


@pytest.fixture(scope="module")
def team(tmp_path_factory):
    """Settings with a gateway `team`, which really runs."""
    with serving_gateway(tmp_path_factory.mktemp("team")) as found:
        os.environ[PASSWORD] = OF_THE_TEAM
        yield Settings(gateways={"team": found})
        del os.environ[PASSWORD]


def chosen(settings, **options):
    choice = ExecutorChoice(name="dask-cluster", options={"gateway": "team", **options})
    return executors.resolve_choice(choice, settings)


def test_what_it_gives_is_taken(team):
    asyncio.run(check_offer(chosen(team, worker_size="large"), team))
    asyncio.run(check_offer(chosen(team), team))


def test_a_size_that_it_has_not_is_refused_with_those_that_it_has(team):
    with pytest.raises(
        SizeRefused, match=r"does not offer Dask workers of size '4xlarge'.*Choose one of medium, large\."
    ):
        asyncio.run(check_offer(chosen(team, worker_size="4xlarge"), team))


def test_a_wrong_and_a_missing_credential_are_told_before_anything_runs(team, monkeypatch):
    monkeypatch.setenv(PASSWORD, "guessed")
    with pytest.raises(GatewayUnauthorized, match=r"'team' refused the credential.*\[gateways\.team\]"):
        asyncio.run(check_offer(chosen(team), team))
    monkeypatch.delenv(PASSWORD)
    with pytest.raises(SettingsWrong, match=PASSWORD):
        asyncio.run(check_offer(chosen(team), team))


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        ("a page", GatewayUnreachable, "'team' answered with a web page: the server at its url is not a Dask Gateway"),
        ("a page that is not there", GatewayUnreachable, "does not answer, or its url is not a Dask Gateway"),
        ("to a page", GatewayUnreachable, "answered with a web page"),
        ("an object", GatewayUnreachable, "is not a Dask Gateway"),
        ("a list", GatewayUnreachable, "is not a Dask Gateway"),
        ("other options", GatewayUnreachable, "is not a Dask Gateway"),
        ("no", GatewayUnauthorized, "refused the credential"),
        ("an error", GatewayRefused, "reported: boom"),
        ("not now", GatewayUnreachable, "answered 503"),
        ("nothing", GatewayUnreachable, "does not answer in time"),
    ],
)
def test_what_is_no_gateway_is_told(answer, error, said, monkeypatch):
    monkeypatch.setenv(PASSWORD, "of the team")
    monkeypatch.setattr(connection, "ANSWER_TIMEOUT", 1.0)
    with answering(answer) as url:
        there = Settings(gateways={"team": GatewaySettings(url=url, user="ann", credential=PASSWORD)})
        with pytest.raises(error, match=said):
            asyncio.run(check_offer(chosen(there), there))


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://nowhere.invalid"])
def test_one_that_is_not_there_is_told_without_its_address(url, monkeypatch):
    monkeypatch.setenv(PASSWORD, "of the team")
    there = Settings(gateways={"team": GatewaySettings(url=url, user="ann", credential=PASSWORD)})
    with pytest.raises(GatewayUnreachable, match=r"'team' does not answer: [A-Z][a-z ]+\. Check") as caught:
        asyncio.run(check_offer(chosen(there), there))
    assert "127.0.0.1" not in str(caught.value)


@pytest.mark.parametrize(("workers", "maximum"), [(2, None), (None, 2)])
def test_more_workers_than_it_allows_are_refused_and_the_cluster_taken_away(team, workers, maximum):
    label = str(uuid4())
    wanted = replace(_wanted(workers=workers), maximum=maximum)
    with locate_gateway("team", team) as where:
        with (
            pytest.raises(GatewayRefused, match=r"limit of 1 workers.*Choose fewer"),
            connect_gateway(where) as gateway,
        ):
            cluster_start.start_cluster(gateway, wanted, label, team)
        with connect_gateway(where) as gateway:
            assert shared_clusters.list_shared_clusters(gateway, label) == []


def test_its_clusters_are_shared_by_what_their_environment_says(team):
    label = str(uuid4())
    with locate_gateway("team", team) as where, connect_gateway(where) as gateway:
        first = cluster_start.start_cluster(gateway, _wanted(), label, team)
        again = cluster_start.start_cluster(gateway, _wanted(), label, team)
        with again.get_client(set_as_default=False) as dask_client:
            assert dask_client.submit(sum, [1, 2]).result() == 3
        assert again.name == first.name
        release_cluster(again)
        release_cluster(first)
        gateway.stop_cluster(first.name)


def test_without_any_option_for_it_nothing_is_shared():
    from dask_gateway.options import Options

    with pytest.raises(GatewayRefused, match='share="run"') as caught:
        set_options(Options(), _wanted(size=None), "anybody")
    assert caught.value.field == "executor.options.share"


def _wanted(workers=1, size="medium"):
    cores, memory = (1, GIB // 4) if size else (None, None)
    return GatewayClusterRequest(
        workers,
        0,
        None,
        size,
        cores,
        memory,
        0,
        idle_timeout=60,
        start_timeout=120,
        gateway="team",
        python=sys.executable,
    )
