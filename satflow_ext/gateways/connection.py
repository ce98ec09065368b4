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
from satflow_ext.gateways.gateway_locator import DaskGateway, find_gateway
from satflow_ext.settings import Settings

if TYPE_CHECKING:
    from dask_gateway import Gateway
    from dask_gateway.auth import GatewayAuth
    from dask_gateway.options import Options

INSTALL = "pip install 'satflow-ext[gateway]'"
PORTS = {"http": 80, "https": 443}
CLUSTER_NAME = re.compile(r"[0-9a-f]{32}")
"""Name of a cluster. It gives access to the cluster's dashboard through some gateways, so messages never contain it."""

NOT_FOUND_ANSWER = "Not Found"
"""Answer of a gateway's proxy that has lost its gateway, and of a web server that is not a gateway."""
REJECTED_BY_HUB_ANSWER = "Permission failure verifying user's JupyterHub API token"
"""Answer of a gateway, with status 500, to a token that its JupyterHub rejects (`dask_gateway_server.auth`)."""
ANSWER_TIMEOUT = 60.0
"""Seconds that a gateway has to answer. It delays some answers by up to 20 itself; aiohttp would wait for 300."""
_config_lock = threading.Lock()


def require_client() -> None:
    """Check that dask-gateway is installed.

    Raises:
        ExtraMissing: dask-gateway is not installed.
    """
    if importlib.util.find_spec("dask_gateway") is None:
        raise ExtraMissing("The executor 'dask-cluster' needs dask-gateway.", fix=f"{INSTALL}.", field="executor.name")


def require_server() -> None:
    """Check that the local stack can start a gateway.

    Raises:
        ExtraMissing: dask-gateway-server is not installed.
    """
    if importlib.util.find_spec("dask_gateway_server") is None:
        fix = f"{INSTALL} (Linux only). On other systems, choose a Dask Gateway from the settings."
        raise ExtraMissing("dask-gateway-server is not installed on this machine.", fix=fix, field="executor.name")


@contextmanager
def locate_gateway(name: str, settings: Settings) -> Iterator[DaskGateway]:
    """Locate the Dask Gateway with this name. The local stack's gateway is started and runs at least until the block ends.

    Raises:
        SettingsWrong: the settings have no such gateway, or its credential is not set.
        StackFailed: the local stack's gateway did not start.
        ExtraMissing: dask-gateway is not installed.
    """
    from satflow_ext import lease
    from satflow_ext.lease.start import STACK_MARK

    require_client()
    if name:
        yield find_gateway(name, settings, None)
    elif STACK_MARK in os.environ:  # a process of the stack must not keep it alive
        yield find_gateway("", settings, lease.start_services(settings, ["gateway"]))
    else:
        with lease.acquire_lease(settings, extra_services=["gateway"]) as held:
            yield find_gateway("", settings, held.record)


@contextmanager
def connect_gateway(location: DaskGateway) -> Iterator[Gateway]:
    """Open dask-gateway's client.

    Raises:
        ClusterFailed: a call in the block failed; the subclass gives the reason.
    """
    from aiohttp import ClientTimeout

    parts = urlsplit(location.url)
    schedulers = location.schedulers or f"{parts.hostname}:{parts.port or PORTS[parts.scheme]}"
    with translate_errors(location):
        with ignore_user_configuration(location.url):
            gateway = _client_class(location)(
                location.url, proxy_address=schedulers, public_address=location.url, auth=_make_auth(location)
            )
        gateway._request_kwargs["timeout"] = ClientTimeout(total=ANSWER_TIMEOUT)
        try:
            yield gateway
        finally:
            gateway.close()
            prevent_second_close(gateway)


def _client_class(location: DaskGateway) -> Any:
    if location.is_local:
        from satflow_ext.gateways.own_gateway import OwnGateway

        return OwnGateway
    from dask_gateway import Gateway

    return Gateway


def read_cluster_options(gateway: Gateway) -> Options:
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


def prevent_second_close(closed: Gateway) -> None:
    """Keep a closed client from closing itself again.

    Its `__del__` waits for its event loop, and deadlocks if the thread of that loop drops the last reference.
    """
    vars(closed).pop("_loop_runner", None)


@contextmanager
def ignore_user_configuration(url: str) -> Iterator[None]:
    """Ignore the user's `gateway.*` settings of Dask while a client is created, because they belong to another gateway.

    The settings of a web proxy are also read then, and no proxy may see requests to this machine's gateway.
    """
    import dask

    overrides = {"gateway.http-client.proxy": not endpoints.is_on_loopback(url), "gateway.auth.kwargs": {}}
    with _config_lock, dask.config.set(overrides):  # Dask's configuration is global to the process
        yield


@contextmanager
def translate_errors(location: DaskGateway) -> Iterator[None]:
    """Translate errors of dask-gateway's client to SatFlow's errors."""
    from aiohttp import ClientConnectionError, ClientError, ClientResponseError
    from dask_gateway import GatewayClusterError, GatewayServerError

    try:
        yield
    except ClientResponseError as error:
        if error.status in (401, 403):
            raise GatewayUnauthorized(
                f"{_sentence_name(location)} refused the credential.", fix=_fix_hint(location)
            ) from None
        description = (
            f"answered {error.status}"
            if error.status >= HTTPStatus.BAD_REQUEST
            else "answered with a web page: the server at its url is not a Dask Gateway"
        )
        raise GatewayUnreachable(f"{_sentence_name(location)} {description}.", fix=_fix_hint(location)) from None
    except (asyncio.TimeoutError, TimeoutError):
        raise GatewayUnreachable(
            f"{_sentence_name(location)} does not answer in time.", fix=_fix_hint(location)
        ) from None
    except (ClientConnectionError, ConnectionError) as error:
        raise GatewayUnreachable(
            f"{_sentence_name(location)} does not answer{_system_reason(error)}.", fix=_fix_hint(location)
        ) from None
    except ClientError as error:
        error_text = _redact_cluster_names(str(error) or type(error).__name__)
        raise GatewayUnreachable(
            f"{_sentence_name(location)} does not answer: {error_text}.", fix=_fix_hint(location)
        ) from None
    except (GatewayClusterError, GatewayServerError, ValueError) as error:
        raise _error_of_message(location, str(error)) from None


def _error_of_message(location: DaskGateway, message: str) -> ClusterFailed:
    if _is_web_page(message):
        return GatewayUnreachable(
            f"{_sentence_name(location)} does not answer, or its url is not a Dask Gateway.", fix=_fix_hint(location)
        )
    if REJECTED_BY_HUB_ANSWER in message:
        return GatewayUnauthorized(f"{_sentence_name(location)} refused the credential.", fix=_fix_hint(location))
    return GatewayRefused(f"{_sentence_name(location)} reported: {_redact_cluster_names(message)}.")


def _is_web_page(message: str) -> bool:
    """Return whether an answer comes from a web server that is not a gateway."""
    return message.strip() == NOT_FOUND_ANSWER or message.lstrip().startswith("<")


def _system_reason(error: Exception) -> str:
    """Return the system's reason for a failed connection without the address: `Connection refused`, or an unknown host."""
    cause = getattr(error, "os_error", error)
    if not isinstance(cause, OSError) or cause.errno is None:
        return ""
    return (
        f": {os.strerror(cause.errno) if cause.errno > 0 else cause.strerror}"  # negative: an error of the name lookup
    )


def _make_auth(location: DaskGateway) -> GatewayAuth:
    from dask_gateway import BasicAuth, JupyterHubAuth

    if location.auth == "jupyterhub":
        return JupyterHubAuth(api_token=location.credential)
    return BasicAuth(username=location.user, password=location.credential)


def _sentence_name(location: DaskGateway) -> str:
    name = str(location)
    return name[0].upper() + name[1:]


def _fix_hint(location: DaskGateway) -> str:
    return (
        "Check `satflow status`."
        if location.is_local
        else f"Check [gateways.{location.name}] in satflow.toml and its credential."
    )


def _redact_cluster_names(message: str) -> str:
    return CLUSTER_NAME.sub("…", message).rstrip(".")
