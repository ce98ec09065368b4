"""No other user of the machine gets at a port of the local stack, nor at what is sent there, whatever dies."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from satflow_ext import lease
from satflow_ext.bounded_listener import FOREIGN_LIMIT
from satflow_ext.endpoints import PrefectApi, StackRecord, Store
from satflow_ext.errors import GatewayUnreachable, PrefectUnreachable, StoreUnreachable
from satflow_ext.gateways.connection import connect_gateway
from satflow_ext.gateways.gateway_locator import DaskGateway
from satflow_ext.prefect_api import prefect_client
from satflow_ext.settings import LOCAL
from satflow_ext.tcp_peers import find_owner
from satflow_ext.versions.store_client import StoreClient
from tests.eventually import eventually
from tests.local_stack import Stack
from tests.stack.place import Place
from tests.strangers import HOLD_CONNECTIONS, NOBODY, TAKE_PORT, stranger

SECRET = "no-stranger-may-read-this"
DIGEST = f"sha256:{0:064x}"


def ports(record: StackRecord) -> dict[str, int]:
    """The ports to which credentials are sent."""
    urls = {"prefect-server": record.prefect_url, "store": record.store_url, "dask-gateway": record.gateway_url}
    return {name: int(urlsplit(str(url)).port or 0) for name, url in urls.items()}


def kill_service(place: Place, name: str) -> int:
    """Kill a service; how often it had been started again before."""
    report = lease.read_report(place.settings)
    assert report is not None
    found = next(each for each in report.services if each.name == name)
    assert found.pid is not None
    os.kill(found.pid, signal.SIGKILL)
    return found.restarts


def has_restarted(place: Place, name: str, before: int) -> bool:
    report = lease.read_report(place.settings)
    assert report is not None
    return any(each.name == name and each.state == "ready" and each.restarts > before for each in report.services)


def test_no_other_user_can_listen_at_the_port_of_a_service_that_died_or_of_a_stack_that_was_killed(
    whole: Place,
) -> None:
    with lease.acquire_lease(whole.settings, extra_services=["gateway"]) as held:
        assert held.record is not None
        numbers = ports(held.record)
        with stranger(TAKE_PORT, *numbers.values()) as thief:
            assert thief.read() == "ready"
            before = {name: kill_service(whole, name) for name in numbers}
            for name, restarts in before.items():
                eventually(lambda name=name, n=restarts: has_restarted(whole, name, n), f"{name} again", seconds=300)
            os.kill(held.record.pid, signal.SIGKILL)
            whole.wait_gone()
            # After the end of the whole stack its ports are free; nobody is left then who sends anything there.
            said = []
            while len(bound := [line for line in said if line.startswith("bound")]) < len(numbers):
                said.append(thief.read())
            said += thief.end()
    assert sorted(bound) == sorted(f"bound {port}" for port in numbers.values())
    assert not [line for line in said if line.startswith("received")]


async def ask_prefect(port: int, own: bool) -> None:
    api = PrefectApi(f"http://127.0.0.1:{port}/api", auth_string=f"satflow:{SECRET}", local=own)
    async with prefect_client(api) as client:
        await client.read_work_pools()


async def ask_store(port: int, own: bool) -> None:
    url = f"http://127.0.0.1:{port}/contents/{{digest}}"
    async with StoreClient(Store(LOCAL if own else "other", url, headers={"Authorization": SECRET})) as client:
        await client.get(DIGEST)


async def ask_gateway(port: int, own: bool) -> None:
    def ask() -> None:
        where = DaskGateway("" if own else "other", f"http://127.0.0.1:{port}", "basic", "satflow", SECRET)
        with connect_gateway(where) as gateway:
            gateway.list_clusters()

    await asyncio.to_thread(ask)


CLIENTS = {
    "prefect": (ask_prefect, PrefectUnreachable),
    "store": (ask_store, StoreUnreachable),
    "gateway": (ask_gateway, GatewayUnreachable),
}


@pytest.mark.parametrize("name", CLIENTS)
@pytest.mark.parametrize("own", [True, False], ids=["own", "other"])
def test_clients_of_the_own_stack_send_nothing_to_another_users_listener(name: str, own: bool) -> None:
    ask, refusal = CLIENTS[name]
    with stranger(TAKE_PORT, 0) as thief:
        port = int(thief.read().partition(" ")[2] or thief.read().partition(" ")[2])
        if own:
            with pytest.raises(refusal):
                asyncio.run(ask(port, own))
        else:  # anybody's server may be named in the settings; this also shows that the stranger would have heard it
            with contextlib.suppress(Exception):
                asyncio.run(ask(port, own))
        said = "\n".join(thief.end())
    assert ("received" in said) == (not own)


@pytest.mark.parametrize("ask", ["the gateway", "a cluster"])
def test_a_client_of_the_own_gateway_sends_nothing_to_another_user_who_listens_there_later(ask: str) -> None:
    own = socket.create_server(("127.0.0.1", 0))
    port = own.getsockname()[1]
    where = DaskGateway("", f"http://127.0.0.1:{port}", "basic", "satflow", SECRET)

    def ask_later() -> None:
        with connect_gateway(where) as gateway:
            own.close()
            while thief.read() != f"bound {port}":
                pass
            gateway.connect("a" * 32) if ask == "a cluster" else gateway.list_clusters()

    with stranger(TAKE_PORT, port) as thief:
        with pytest.raises(GatewayUnreachable):
            ask_later()
        said = thief.end()
    assert not [line for line in said if line.startswith("received")]


def test_the_prefect_server_answers_to_nothing_but_its_api(stack: Stack) -> None:
    origin = str(stack.record.prefect_url).removesuffix("/api")
    for path in ("/", "/docs", "/redoc", "/openapi.json", "/docs/oauth2-redirect", "/api/docs", "/api/openapi.json"):
        assert httpx.get(origin + path, trust_env=False).status_code in (401, 404), path


@pytest.mark.parametrize("name", ["prefect-server", "store", "dask-gateway"])
def test_idle_connections_of_another_user_are_bounded(stack: Stack, name: str) -> None:
    port = ports(lease.start_services(stack.settings, ["gateway"]))[name]
    with stranger(HOLD_CONNECTIONS, port, 1100) as flood:
        assert flood.read() == "opened 1100"
        # Its answer shows that the service has accepted all that came before it.
        assert httpx.get(f"http://127.0.0.1:{port}/api/health", trust_env=False, timeout=120).status_code in (200, 401)
        report = lease.read_report(stack.settings)
        assert report is not None
        service = psutil.Process(next(each.pid for each in report.services if each.name == name))
        remote = [each.raddr.port for each in service.net_connections("tcp") if each.raddr and each.laddr.port == port]
        owners = [find_owner(("127.0.0.1", other), ("127.0.0.1", port)) for other in remote]
        assert sum(owner is not None and owner.uid == NOBODY for owner in owners) <= FOREIGN_LIMIT
