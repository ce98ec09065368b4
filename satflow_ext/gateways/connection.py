"""Connections to Dask Gateways through dask-gateway's client, with its errors translated to SatFlow's."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from satflow_ext import endpoints
from satflow_ext.errors import ClusterFailed, ExtraMissing, GatewayRefused, GatewayUnauthorized, GatewayUnreachable
from satflow_ext.gateways.gateway_locator import DaskGateway, gateway_named
from satflow_ext.settings import Settings

if TYPE_CHECKING:
    from dask_gateway import Gateway
    from dask_gateway.auth import GatewayAuth
    from dask_gateway.options import Options

INSTALL = "pip install 'satflow-ext[gateway]'"
PORTS = {"http": 80, "https": 443}
CLUSTER_NAME = re.compile(r"[0-9a-f]{32}")
"""Name of a cluster. It gives access to the cluster's dashboard through some gateways, so messages never contain it."""

NO_ROUTE = "Not Found"
"""Answer of a gateway's proxy that has lost its gateway, and of a web server that is not a gateway."""
HUB_SAYS_NO = "Permission failure verifying user's JupyterHub API token"
"""Answer of a gateway, with status 500, to a token that its JupyterHub rejects (`dask_gateway_server.auth`)."""
ANSWER = 60.0
"""Seconds that a gateway has to answer. It delays some answers by up to 20 itself; aiohttp would wait for 300."""
_making = threading.Lock()


def need_client() -> None:
    """Check that dask-gateway is installed.

    Raises:
        ExtraMissing: dask-gateway is not installed.
    """
    if importlib.util.find_spec("dask_gateway") is None:
        raise ExtraMissing("The executor 'dask-cluster' needs dask-gateway.", fix=f"{INSTALL}.", field="executor.name")


def need_server() -> None:
    """Check that the local stack can start a gateway.

    Raises:
        ExtraMissing: dask-gateway-server is not installed.
    """
    if importlib.util.find_spec("dask_gateway_server") is None:
        fix = f"{INSTALL} (Linux only). On other systems, choose a Dask Gateway from the settings."
        raise ExtraMissing("dask-gateway-server is not installed on this machine.", fix=fix, field="executor.name")


@contextmanager
def reached(name: str, settings: Settings) -> Iterator[DaskGateway]:
    """Locate the Dask Gateway with this name. The local stack's gateway is started and runs at least until the block ends.

    Raises:
        SettingsWrong: the settings have no such gateway, or its credential is not set.
        StackFailed: the local stack's gateway did not start.
        ExtraMissing: dask-gateway is not installed.
    """
    from satflow_ext import lease
    from satflow_ext.lease.start import STACK_MARK

    need_client()
    if name:
        yield gateway_named(name, settings, None)
    elif STACK_MARK in os.environ:  # a process of the stack must not keep it alive
        yield gateway_named("", settings, lease.have_started(settings, ["gateway"]))
    else:
        with lease.acquire(settings, also=["gateway"]) as held:
            yield gateway_named("", settings, held.record)


@contextmanager
def connected(where: DaskGateway) -> Iterator[Gateway]:
    """Open dask-gateway's client.

    Raises:
        ClusterFailed: a call in the block failed; the subclass gives the reason.
    """
    from aiohttp import ClientTimeout

    parts = urlsplit(where.url)
    schedulers = where.schedulers or f"{parts.hostname}:{parts.port or PORTS[parts.scheme]}"
    with translated(where):
        with only_ours(where.url):
            gateway = _client_class(where)(
                where.url, proxy_address=schedulers, public_address=where.url, auth=_auth(where)
            )
        gateway._request_kwargs["timeout"] = ClientTimeout(total=ANSWER)
        try:
            yield gateway
        finally:
            gateway.close()
            disarm(gateway)


def _client_class(where: DaskGateway) -> Any:
    if where.local:
        from satflow_ext.gateways.own_gateway import OwnGateway

        return OwnGateway
    from dask_gateway import Gateway

    return Gateway


def offered(gateway: Gateway) -> Options:
    """Read the cluster options of a gateway, with its own defaults. This is the first call to every gateway.

    Raises:
        GatewayUnreachable: the server at its url is not a Dask Gateway.
        ClientError: as in dask-gateway's client.
        ValueError: as in dask-gateway's client.
    """
    try:
        return gateway.cluster_options(use_local_defaults=False)
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError):
        fix = "Check the gateway's url in satflow.toml."
        raise GatewayUnreachable("The server at the gateway's url is not a Dask Gateway.", fix=fix) from None


def disarm(closed: Gateway) -> None:
    """Keep a closed client from closing itself again.

    Its `__del__` waits for its event loop, and deadlocks if the thread of that loop drops the last reference.
    """
    vars(closed).pop("_loop_runner", None)


@contextmanager
def only_ours(url: str) -> Iterator[None]:
    """Ignore the user's `gateway.*` settings of Dask while a client is created, because they belong to another gateway.

    The settings of a web proxy are also read then, and no proxy may see requests to this machine's gateway.
    """
    import dask

    ours = {"gateway.http-client.proxy": not endpoints.on_loopback(url), "gateway.auth.kwargs": {}}
    with _making, dask.config.set(ours):  # Dask's configuration is global to the process
        yield


@contextmanager
def translated(where: DaskGateway) -> Iterator[None]:
    """Translate errors of dask-gateway's client to SatFlow's errors."""
    from aiohttp import ClientConnectionError, ClientError, ClientResponseError
    from dask_gateway import GatewayClusterError, GatewayServerError

    try:
        yield
    except ClientResponseError as error:
        if error.status in (401, 403):
            raise GatewayUnauthorized(f"{_name(where)} refused the credential.", fix=_check(where)) from None
        said = (
            f"answered {error.status}"
            if error.status >= HTTPStatus.BAD_REQUEST
            else "answered with a web page: the server at its url is not a Dask Gateway"
        )
        raise GatewayUnreachable(f"{_name(where)} {said}.", fix=_check(where)) from None
    except (asyncio.TimeoutError, TimeoutError):
        raise GatewayUnreachable(f"{_name(where)} does not answer in time.", fix=_check(where)) from None
    except (ClientConnectionError, ConnectionError) as error:
        raise GatewayUnreachable(f"{_name(where)} does not answer{_why(error)}.", fix=_check(where)) from None
    except ClientError as error:
        said = _clean(str(error) or type(error).__name__)
        raise GatewayUnreachable(f"{_name(where)} does not answer: {said}.", fix=_check(where)) from None
    except (GatewayClusterError, GatewayServerError, ValueError) as error:
        raise _as_said(where, str(error)) from None


def _as_said(where: DaskGateway, said: str) -> ClusterFailed:
    if _is_page(said):
        return GatewayUnreachable(
            f"{_name(where)} does not answer, or its url is not a Dask Gateway.", fix=_check(where)
        )
    if HUB_SAYS_NO in said:
        return GatewayUnauthorized(f"{_name(where)} refused the credential.", fix=_check(where))
    return GatewayRefused(f"{_name(where)} reported: {_clean(said)}.")


def _is_page(said: str) -> bool:
    """Return whether an answer comes from a web server that is not a gateway."""
    return said.strip() == NO_ROUTE or said.lstrip().startswith("<")


def _why(error: Exception) -> str:
    """Return the system's reason for a failed connection without the address: `Connection refused`, or an unknown host."""
    cause = getattr(error, "os_error", error)
    if not isinstance(cause, OSError) or cause.errno is None:
        return ""
    return (
        f": {os.strerror(cause.errno) if cause.errno > 0 else cause.strerror}"  # negative: an error of the name lookup
    )


def _auth(where: DaskGateway) -> GatewayAuth:
    from dask_gateway import BasicAuth, JupyterHubAuth

    if where.auth == "jupyterhub":
        return JupyterHubAuth(api_token=where.credential)
    return BasicAuth(username=where.user, password=where.credential)


def _name(where: DaskGateway) -> str:
    name = str(where)
    return name[0].upper() + name[1:]


def _check(where: DaskGateway) -> str:
    return (
        "Check `satflow status`."
        if where.local
        else f"Check [gateways.{where.name}] in satflow.toml and its credential."
    )


def _clean(said: str) -> str:
    return CLUSTER_NAME.sub("…", said).rstrip(".")
