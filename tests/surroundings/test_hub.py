"""Two users of a JupyterHub below a path, behind nginx: requests, streams and stacks, as docs/administrators.md describes."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.eventually import eventually
from tests.gateways.serving import running
from tests.notebook_files import write_notebook
from tests.ports import free_ports
from tests.registration.nginx import running_nginx

pytestmark = pytest.mark.stack

PYTHON = Path(sys.prefix) / "beside" / "bin" / "python"
PAGE = Path(__file__).parents[2] / "docs" / "administrators.md"
FLOW = """
from prefect import flow

@flow(log_prints=True)
def report():
    print("seen by ann")
"""


@dataclass(frozen=True)
class User:
    """A user with a running server, seen through nginx."""

    url: str
    token: str
    home: Path

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"token {self.token}"}

    def ask(self, method: str, path: str, body: object = None, *, at: User | None = None) -> httpx.Response:
        """Send a request to this user's server, or to another user's."""
        url = f"{(at or self).url}/satflow/{path}"
        return httpx.request(method, url, headers=self.headers, json=body, timeout=120)

    def stream(self, *, at: User | None = None) -> ClientConnection:
        url = f"{(at or self).url}/satflow/stream".replace("http", "ws", 1)
        return connect(url, additional_headers=self.headers, proxy=None)

    def run_command(self, *words: str) -> None:
        """Run a command as in a terminal of this user's JupyterLab."""
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
        command = [sys.executable, "-m", "satflow_ext.cli", *words]
        done = subprocess.run(
            command, env={**kept, "HOME": str(self.home)}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def start_stack(self) -> dict[str, Any]:
        self.ask("POST", "stack").raise_for_status()

        def ready() -> dict[str, Any] | None:
            found = dict(self.ask("GET", "stack").json())
            assert found["state"] != "failed", found
            return found if found["state"] == "ready" else None

        return eventually(ready, "the local stack", seconds=300)


def _documented(port: int) -> str:
    """Return the server of the documentation, on free ports and without TLS."""
    (block,) = re.findall(r"```nginx\n(.*?)```", PAGE.read_text(), re.DOTALL)
    block = block.replace("{", "{{").replace("}", "}}")
    for own, here in {"listen 443 ssl;": "listen 127.0.0.1:{port};", "127.0.0.1:8000": f"127.0.0.1:{port}"}.items():
        assert own in block
        block = block.replace(own, here)
    return "\n".join(line for line in block.splitlines() if "ssl_certificate" not in line)


@pytest.fixture(scope="module")
def users(house: Path) -> Iterator[tuple[User, User]]:
    """Ann and Bob, each with a home folder and a running server."""
    folder, desk = house / "hub", secrets.token_hex(16)
    folder.mkdir()
    port, api_port, proxy_port = free_ports(3)
    ports = {"HUB_PORT": str(port), "HUB_API_PORT": str(api_port), "HUB_PROXY_PORT": str(proxy_port)}
    words = [PYTHON, "-m", "jupyterhub", "-f", Path(__file__).with_name("hub_config.py")]
    health = f"http://127.0.0.1:{port}/jupyter/hub/api/health"
    (folder / "nginx").mkdir()
    with (
        running(words, folder, health, DESK_TOKEN=desk, CONFIGPROXY_AUTH_TOKEN=secrets.token_hex(16), **ports),
        running_nginx(folder / "nginx", "", _documented(port)) as template,
        httpx.Client(
            base_url=f"{httpx.URL(template).copy_with(path='/jupyter')}",
            headers={"Authorization": f"token {desk}"},
            timeout=120,
        ) as hub,
    ):
        yield _sign_in(hub, "ann", folder), _sign_in(hub, "bob", folder)
        for name in ("ann", "bob"):
            hub.delete(f"/hub/api/users/{name}/server")


def _sign_in(hub: httpx.Client, name: str, folder: Path) -> User:
    hub.post(f"/hub/api/users/{name}").raise_for_status()
    token = hub.post(f"/hub/api/users/{name}/tokens").raise_for_status().json()["token"]
    hub.post(f"/hub/api/users/{name}/server").raise_for_status()
    eventually(lambda: hub.get(f"/hub/api/users/{name}").json()["server"], f"the server of {name}", 120)
    return User(f"{hub.base_url}user/{name}", token, folder / "home" / name)


def test_each_user_has_an_own_stack_behind_the_proxies(users: tuple[User, User]) -> None:
    ann, bob = users
    assert ann.start_stack()["prefect_api"] != bob.start_stack()["prefect_api"]
    ann.run_command("register", str(write_notebook(ann.home / "report.ipynb", FLOW)))
    (deployment,) = ann.ask("GET", "deployments").json()["deployments"]
    run = ann.ask("POST", "runs", {"deployment_id": deployment["id"], "idempotency_key": "once"}).json()
    with ann.stream() as stream:
        stream.send(json.dumps({"type": "subscribe", "topic": "logs", "run_id": run["id"]}))
        lines = list(_lines_until_the_end(stream))
    assert "seen by ann" in lines
    assert bob.ask("GET", "deployments").json()["deployments"] == []
    assert bob.ask("GET", f"runs/{run['id']}").status_code == HTTPStatus.NOT_FOUND


def _lines_until_the_end(stream: ClientConnection) -> Iterator[str]:
    for message in stream:
        frame = json.loads(message)
        assert frame["type"] == "logs.v1", frame
        yield from [line["message"] for line in frame["lines"]]
        if frame["ended"]:
            return


def test_no_user_reads_the_server_of_another(users: tuple[User, User]) -> None:
    ann, bob = users
    for path in ("deployments", "runs", "stack"):
        assert bob.ask("GET", path, at=ann).status_code == HTTPStatus.FORBIDDEN
    with pytest.raises(InvalidStatus) as refused:
        bob.stream(at=ann)
    assert refused.value.response.status_code == HTTPStatus.FORBIDDEN
