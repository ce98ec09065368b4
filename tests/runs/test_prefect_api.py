"""Each way a Prefect API can be out of reach has its own error, soon."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings

from satflow_ext.endpoints import PrefectApi
from satflow_ext.errors import PrefectFailed, PrefectUnauthorized, PrefectUnreachable, RunNotFound, SatflowError
from satflow_ext.models import RunQuery
from satflow_ext.prefect_api import http_client, prefect_client
from satflow_ext.runs import list_runs


def read_pools(api: PrefectApi) -> None:
    async def read() -> None:
        async with prefect_client(api) as client:
            await client.read_work_pools()

    asyncio.run(read())


class LoginPage(BaseHTTPRequestHandler):
    """What a hub sends to who is not logged in."""

    def do_POST(self) -> None:
        page = b"<!doctype html><title>Log in</title>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    do_GET = do_POST  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@pytest.fixture
def login_page() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), LoginPage)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/api"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/api", "http://no-such-host.invalid/api", "nonsense", "http://["])
def test_nothing_there(url):
    with pytest.raises(PrefectUnreachable, match="Nothing answers"):
        read_pools(PrefectApi(url))


@pytest.mark.parametrize(
    ("local", "advice", "other"), [(True, "satflow status", "PREFECT_API_URL"), (False, "PREFECT_API_URL", "satflow")]
)
def test_who_set_no_address_is_not_told_to_correct_it(local, advice, other):
    with pytest.raises(PrefectUnreachable) as refused:
        read_pools(PrefectApi("http://127.0.0.1:1/api", local=local))
    assert advice in refused.value.fix
    assert other not in refused.value.fix


def test_a_server_that_is_slow_is_said_to_be_slow(monkeypatch):
    monkeypatch.setattr(http_client, "TIMEOUT", httpx.Timeout(0.2))
    monkeypatch.setattr(http_client, "RETRIES", 0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/api"
        with pytest.raises(PrefectUnreachable, match="did not answer in time"):
            read_pools(PrefectApi(url, local=True))


def test_a_login_page(login_page):
    with pytest.raises(PrefectUnreachable, match="not a Prefect API"):
        read_pools(PrefectApi(login_page))


def test_a_wrong_path(prefect_api):
    with pytest.raises(PrefectUnreachable, match="not a Prefect API"):
        read_pools(PrefectApi(prefect_api.url.removesuffix("/api"), auth_string=prefect_api.auth_string))


@pytest.mark.parametrize("auth", [None, "a:wrong-secret"])
def test_a_wrong_credential(prefect_api, auth):
    with pytest.raises(PrefectUnauthorized) as refused:
        read_pools(PrefectApi(prefect_api.url, auth_string=auth))
    assert "wrong-secret" not in str(refused.value)


def test_the_profile_lends_no_credential(prefect_api, monkeypatch):
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", prefect_api.auth_string)
    monkeypatch.setenv("PREFECT_API_KEY", "key")
    with pytest.raises(PrefectUnauthorized):
        read_pools(PrefectApi(prefect_api.url))


def test_a_refused_request_is_told_in_the_api_s_words(prefect_api):
    async def ask() -> None:
        async with prefect_client(prefect_api) as client:
            await client.request("POST", "/flow_runs/filter", json={"limit": 100_000})

    with pytest.raises(PrefectFailed) as refused:
        asyncio.run(ask())
    assert type(refused.value) is PrefectFailed
    assert "422" in refused.value.message


def test_our_own_errors_pass_through(prefect_api):
    async def ask() -> None:
        async with prefect_client(prefect_api):
            raise RunNotFound("mine")

    with pytest.raises(RunNotFound, match="mine"):
        asyncio.run(ask())


def test_a_list_of_nothing(prefect_api):
    missing = "00000000-0000-4000-8000-000000000000"
    assert asyncio.run(list_runs(prefect_api, RunQuery(deployment_id=missing))) == ()


def test_an_id_that_is_none(prefect_api):
    with pytest.raises(SatflowError, match="No deployment has the id 'x'"):
        asyncio.run(list_runs(prefect_api, RunQuery(deployment_id="x")))


@pytest.mark.parametrize("name", ["ALL_PROXY", "all_proxy", "HTTP_PROXY", "https_proxy"])
def test_clients_can_be_made_where_a_socks_proxy_is_set(monkeypatch, name):
    """Prefect's own clients too, which read it even where the server is on this machine: the Prefect worker's, a run's."""
    monkeypatch.setenv(name, "socks5://127.0.0.1:9")
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        get_client(sync_client=True)
        get_client()
    httpx.Client().close()
