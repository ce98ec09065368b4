"""Dask Gateways, reached by dask-gateway's own client: where they are, and their errors in our words."""

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
"""With it anybody can get at a cluster's pages through a gateway that has some: it stands in no message."""

NO_ROUTE = "Not Found"
"""What a gateway's proxy says while it has lost its gateway, and a web server that knows nothing of any."""
HUB_SAYS_NO = "Permission failure verifying user's JupyterHub API token"
"""What a gateway says, with the status 500, of a token that its JupyterHub does not know (`dask_gateway_server.auth`)."""
ANSWER = 60.0
"""Seconds that a gateway may take to answer. It holds back some answers for 20 by itself; aiohttp would wait for 300."""
_making = threading.Lock()


def need_client() -> None:
    """Refuse to go on without dask-gateway.

    Raises:
        ExtraMissing: it is not installed.
    """
    if importlib.util.find_spec("dask_gateway") is None:
        raise ExtraMissing("The executor 'dask-cluster' needs dask-gateway.", fix=f"{INSTALL}.", field="executor.name")


def need_server() -> None:
    """Refuse to go on where the local stack cannot start a gateway.

    Raises:
        ExtraMissing: dask-gateway-server is not installed.
    """
    if importlib.util.find_spec("dask_gateway_server") is None:
        fix = f"{INSTALL}; it is for Linux only. Elsewhere, name a Dask Gateway of the settings."
        raise ExtraMissing("This machine has no Dask Gateway of its own.", fix=fix, field="executor.name")


@contextmanager
def reached(name: str, settings: Settings) -> Iterator[DaskGateway]:
    """Where the Dask Gateway of that name is. The local stack's own runs at least until the block is left.

    Raises:
        SettingsWrong: no such gateway in the settings, or no credential for it.
        StackFailed: it is the local stack's own, which does not start.
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
    """dask-gateway's own client.

    Raises:
        ClusterFailed: what goes wrong with it in the block; the subclass says what.
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
    """The cluster options of a gateway, with its own defaults. Whoever wants anything of it asks for them first.

    Raises:
        GatewayUnreachable: what answers there is no Dask Gateway.
        ClientError: as in dask-gateway's client.
        ValueError: the same.
    """
    try:
        return gateway.cluster_options(use_local_defaults=False)
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError):
        fix = "Check the gateway's url in satflow.toml."
        raise GatewayUnreachable("What answers there is no Dask Gateway.", fix=fix) from None


def disarm(closed: Gateway) -> None:
    """Keep a client from closing itself once more.

    Its `__del__` waits for its own event loop, for ever where it is that loop's thread which lets go of it last.
    """
    vars(closed).pop("_loop_runner", None)


@contextmanager
def only_ours(url: str) -> Iterator[None]:
    """While a client is made: the user's own `gateway.*` settings of Dask are for another gateway, and would be taken for this.

    Those of a web proxy are read there as well, and no proxy may get what is said to this machine's own gateway.
    """
    import dask

    ours = {"gateway.http-client.proxy": not endpoints.on_loopback(url), "gateway.auth.kwargs": {}}
    with _making, dask.config.set(ours):  # Dask's settings are of the whole process
        yield


@contextmanager
def translated(where: DaskGateway) -> Iterator[None]:
    """Errors of dask-gateway's client as ours."""
    from aiohttp import ClientConnectionError, ClientError, ClientResponseError
    from dask_gateway import GatewayClusterError, GatewayServerError

    try:
        yield
    except ClientResponseError as error:
        if error.status in (401, 403):
            raise GatewayUnauthorized(f"{_name(where)} refused the credential.", fix=_check(where)) from None
        said = (
            f"answered {error.status}" if error.status >= HTTPStatus.BAD_REQUEST else "is none: it answered with a page"
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
        return GatewayUnreachable(f"{_name(where)} does not answer, or is none.", fix=_check(where))
    if HUB_SAYS_NO in said:
        return GatewayUnauthorized(f"{_name(where)} refused the credential.", fix=_check(where))
    return GatewayRefused(f"{_name(where)} said: {_clean(said)}.")


def _is_page(said: str) -> bool:
    """Whether it is what a web server says that knows nothing of a gateway."""
    return said.strip() == NO_ROUTE or said.lstrip().startswith("<")


def _why(error: Exception) -> str:
    """What the system says of a connection that was not made: `Connection refused`, or that a name is not known. No address."""
    cause = getattr(error, "os_error", error)
    if not isinstance(cause, OSError) or cause.errno is None:
        return ""
    return f": {os.strerror(cause.errno) if cause.errno > 0 else cause.strerror}"  # negative: of looking up the name


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
        "See `satflow status`."
        if where.local
        else f"Check [gateways.{where.name}] in satflow.toml, and its credential."
    )


def _clean(said: str) -> str:
    return CLUSTER_NAME.sub("…", said).rstrip(".")
