"""A Dask Gateway that asks a real JupyterHub who its users are."""

from __future__ import annotations

import asyncio
import secrets
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from satflow_ext import executors
from satflow_ext.errors import ClusterFailed, GatewayUnauthorized
from satflow_ext.gateways import cluster_start
from satflow_ext.gateways.cluster_request import GatewayClusterRequest
from satflow_ext.gateways.cluster_start import release_cluster
from satflow_ext.gateways.connection import connect_gateway, locate_gateway
from satflow_ext.models import ExecutorChoice
from satflow_ext.registration.checks import check_offer
from satflow_ext.settings import GIB, Settings
from tests.gateways.serving import running, serving_gateway
from tests.ports import free_port

PYTHON = Path(sys.prefix) / "beside" / "bin" / "python"
TOKEN = "TEAM_GATEWAY_TOKEN"
ASKS_THE_HUB = """
c.DaskGateway.authenticator_class = "dask_gateway_server.auth.JupyterHubAuthenticator"
c.JupyterHubAuthenticator.jupyterhub_api_url = "{hub}"
c.JupyterHubAuthenticator.jupyterhub_service_name = "dask-gateway"
c.JupyterHubAuthenticator.jupyterhub_api_token = "asks with the user's own"
"""


@dataclass(frozen=True)
class Hub:
    """Where its API is, and the token of a service that may make users and their tokens."""

    url: str
    desk: str
    server: subprocess.Popen

    def token(self, user, **wanted):
        """A token of a user's."""
        headers = {"Authorization": f"token {self.desk}"}
        httpx.post(f"{self.url}/users/{user}", headers=headers)
        made = httpx.post(f"{self.url}/users/{user}/tokens", headers=headers, json=wanted)
        return made.raise_for_status().json()["token"]


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    folder, port, desk = tmp_path_factory.mktemp("hub"), free_port(), secrets.token_hex(16)
    url = f"http://127.0.0.1:{port}/hub/api"
    words = [PYTHON, "-m", "jupyterhub", "-f", Path(__file__).with_name("jupyterhub_config.py")]
    with running(words, folder, f"{url}/health", HUB_PORT=str(port), DESK_TOKEN=desk) as server:
        yield Hub(url, desk, server)


@pytest.fixture(scope="module")
def team(hub, tmp_path_factory):
    """Settings with a gateway `team`, which really runs."""
    with serving_gateway(tmp_path_factory.mktemp("team"), ASKS_THE_HUB.format(hub=hub.url)) as found:
        asks = found.model_copy(update={"auth": "jupyterhub", "user": None, "credential": TOKEN})
        yield Settings(gateways={"team": asks})


def check(settings):
    executor = executors.resolve_choice(ExecutorChoice(name="dask-cluster", options={"gateway": "team"}), settings)
    asyncio.run(check_offer(executor, settings))


def test_a_users_token_gives_clusters_of_hers(hub, team, monkeypatch):
    monkeypatch.setenv(TOKEN, hub.token("ann"))
    check(team)
    wanted = GatewayClusterRequest(
        1, 0, None, "medium", 1, GIB // 4, 0, idle_timeout=60, start_timeout=120, gateway="team", python=sys.executable
    )
    with locate_gateway("team", team) as where, connect_gateway(where) as gateway:
        cluster = cluster_start.start_cluster(gateway, wanted, str(uuid4()), team)
        with cluster.get_client(set_as_default=False) as dask_client:
            assert dask_client.submit(sum, [1, 2]).result() == 3
        monkeypatch.setenv(TOKEN, hub.token("bob"))
        with locate_gateway("team", team) as his, connect_gateway(his) as of_bob:
            assert of_bob.list_clusters() == []
        release_cluster(cluster)
        gateway.stop_cluster(cluster.name)


@pytest.mark.parametrize("kind", ["guessed", "for something else"])
def test_another_token_is_told_as_such(kind, hub, team, monkeypatch):
    monkeypatch.setenv(TOKEN, "guessed" if kind == "guessed" else hub.token("ann", scopes=["read:users!user"]))
    with pytest.raises(GatewayUnauthorized, match=r"'team' refused the credential.*\[gateways\.team\]"):
        check(team)


def test_a_hub_that_is_gone_is_no_wrong_token(hub, team, monkeypatch):
    """The last one, for the hub does not come back."""
    monkeypatch.setenv(TOKEN, hub.token("ann"))
    hub.server.terminate()
    hub.server.wait()
    with pytest.raises(ClusterFailed) as caught:
        check(team)
    assert not isinstance(caught.value, GatewayUnauthorized)
