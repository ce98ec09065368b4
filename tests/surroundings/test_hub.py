"""Two Unix users of a JupyterHub below a path, behind nginx: requests, streams, stacks, as docs/administrators.md describes."""

from __future__ import annotations

import os
import re
import secrets
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

import httpx
import psutil
import pytest
from websockets.exceptions import InvalidStatus

from tests.eventually import eventually
from tests.gateways.serving import running
from tests.ports import free_ports
from tests.registration.nginx import running_nginx
from tests.surroundings.jupyter_user import SECONDS, JupyterUser

pytestmark = pytest.mark.stack

ROOT = Path(__file__).parents[2]
PYTHON = Path(sys.prefix) / "beside" / "bin" / "python"
PAGE = ROOT / "docs" / "administrators.md"
ACCOUNTS = {"ann": 61001, "bob": 61002}
"""Users and their numbers, of which the machine need not know."""
FLOW = """
import getpass
from prefect import flow

@flow(log_prints=True)
def report():
    print("seen by", getpass.getuser())
"""
OPEN_ROOT = """
set -e
mount -t tmpfs -o mode=755 none "$0"
for each in /*; do
  if [ -L "$each" ]; then cp -P "$each" "$0"
  elif [ -d "$each" ]; then
    mkdir "$0$each"
    [ -z "$(find "$each" -maxdepth 0 -perm -o=x)" ] || mount --rbind "$each" "$0$each"
  fi
done
for each in {needed}; do
  [ -d "$0$each" ] || {{ mkdir -p "$0$each"; mount --rbind "$each" "$0$each"; }}
done
mount --bind {accounts} "$0/etc/passwd"
exec chroot "$0" "$@"
"""
"""A root folder that all users can enter, without the private folders in it but with what tests need of them."""


def _with_accounts(folder: Path) -> list[str]:
    """Return words before a command that starts processes of the users."""
    assert os.geteuid() == 0, "this test needs root, for other users"
    accounts = Path("/etc/passwd").read_text()
    for name, number in ACCOUNTS.items():
        home = folder / "home" / name
        home.mkdir(parents=True)
        home.chmod(0o700)
        os.chown(home, number, number)
        accounts += f"{name}:x:{number}:{number}::{home}:/bin/bash\n"
    (folder / "root").mkdir()
    (folder / "accounts").write_text(accounts)
    needed = {Path(each).resolve() for each in (sys.base_prefix, sys.prefix, ROOT, ROOT / "node_modules")}
    script = OPEN_ROOT.format(needed=shlex.join(map(str, needed)), accounts=folder / "accounts")
    return ["unshare", "--mount", "bash", "-c", script, str(folder / "root")]


def _read_documented(port: int) -> str:
    """Return the nginx configuration of the documentation, on free ports and without TLS."""
    (block,) = re.findall(r"```nginx\n(.*?)```", PAGE.read_text(), re.DOTALL)
    block = block.replace("{", "{{").replace("}", "}}")
    for own, here in {"listen 443 ssl;": "listen 127.0.0.1:{port};", "127.0.0.1:8000": f"127.0.0.1:{port}"}.items():
        assert own in block
        block = block.replace(own, here)
    return "\n".join(line for line in block.splitlines() if "ssl_certificate" not in line)


@contextmanager
def _running_hub(folder: Path, desk: str) -> Iterator[str]:
    """The address of a JupyterHub as its users see it, through nginx."""
    port, api_port, proxy_port = free_ports(3)
    ports = {"HUB_PORT": str(port), "HUB_API_PORT": str(api_port), "HUB_PROXY_PORT": str(proxy_port)}
    tokens = {"DESK_TOKEN": desk, "CONFIGPROXY_AUTH_TOKEN": secrets.token_hex(16)}
    hub = [PYTHON, "-m", "jupyterhub", "-f", Path(__file__).with_name("hub_config.py")]
    health = f"http://127.0.0.1:{port}/jupyter/hub/api/health"
    (folder / "nginx").mkdir()
    with (
        running([*_with_accounts(folder), *hub], folder, health, **ports, **tokens),
        running_nginx(folder / "nginx", "", _read_documented(port)) as template,
    ):
        yield str(httpx.URL(template).copy_with(path="/jupyter"))


@pytest.fixture(scope="module")
def users(house: Path) -> Iterator[tuple[JupyterUser, JupyterUser]]:
    """Ann and Bob, each with a home folder, a running server and a local stack."""
    folder, desk = house / "hub", secrets.token_hex(16)
    folder.mkdir()
    house.chmod(0o711)
    with (
        _running_hub(folder, desk) as url,
        httpx.Client(base_url=url, headers={"Authorization": f"token {desk}"}, timeout=SECONDS) as hub,
    ):
        for name in ACCOUNTS:
            hub.post(f"/hub/api/users/{name}").raise_for_status()
            hub.post(f"/hub/api/users/{name}/server").raise_for_status()
        ann, bob = (_wait_for_server(hub, name) for name in ACCOUNTS)
        for user in (ann, bob):
            user.ask("POST", "stack")
        yield ann, bob
        for name in ACCOUNTS:
            hub.delete(f"/hub/api/users/{name}/server").raise_for_status()
        eventually(lambda: not _list_processes(), "the end of the users' processes", SECONDS)
    house.chmod(0o700)


def _wait_for_server(hub: httpx.Client, name: str) -> JupyterUser:
    token = hub.post(f"/hub/api/users/{name}/tokens").raise_for_status().json()["token"]
    eventually(lambda: hub.get(f"/hub/api/users/{name}").json()["server"], f"the server of {name}", SECONDS)
    return JupyterUser(f"{hub.base_url}user/{name}", token)


def _list_processes() -> list[psutil.Process]:
    """List the living processes of the users."""
    found = psutil.process_iter(["uids", "status"])
    alive = [each for each in found if each.info["status"] != psutil.STATUS_ZOMBIE]
    return [each for each in alive if each.info["uids"].real in ACCOUNTS.values()]


def test_each_user_has_an_own_stack_behind_the_proxies(users: tuple[JupyterUser, JupyterUser]) -> None:
    ann, bob = users
    kernel = ann.start_kernel()
    ann.run_cell(kernel, FLOW)
    assert ann.wait_for_stack()["prefect_api"] != bob.wait_for_stack()["prefect_api"]
    deployment = ann.register(kernel, "report")["deployment"]
    run = ann.start_run(deployment["id"])
    assert "seen by ann" in ann.follow_log(run["id"])
    assert bob.ask("GET", "deployments")["deployments"] == []
    assert bob.request("GET", f"satflow/runs/{run['id']}").status_code == HTTPStatus.NOT_FOUND


def test_no_user_reads_the_server_of_another(users: tuple[JupyterUser, JupyterUser]) -> None:
    ann, bob = users
    intruder = replace(bob, url=ann.url)
    for path in ("deployments", "runs", "stack"):
        assert intruder.request("GET", f"satflow/{path}").status_code == HTTPStatus.FORBIDDEN
    with pytest.raises(InvalidStatus) as refused:
        intruder.connect("satflow/stream")
    assert refused.value.response.status_code == HTTPStatus.FORBIDDEN
