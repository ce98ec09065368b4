"""The Dask Gateway of the local stack: started on the first request for it, with its own folder and credential."""

from __future__ import annotations

import asyncio
import base64
import importlib.util
import os
import secrets
import shutil
import socket
import ssl
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict

from satflow_ext import atomic_files
from satflow_ext.errors import StackFailed
from satflow_ext.gateways.connection import INSTALL
from satflow_ext.lease.address import make_private_folder
from satflow_ext.lease.start import STACK_API
from satflow_ext.settings import Settings
from satflow_ext.stack import service_definitions, service_environment, stack_processes
from satflow_ext.stack.process import ProcessPlan
from satflow_ext.stack.service_keeper import ServiceDefinition


class GatewayPlan(BaseModel):
    """Configuration that the gateway's processes read from a private file, so that no credential is in their arguments.

    Args:
        folder: folder for the gateway's database, the clusters' files and the data that Dask workers spill.
        api: `host:port` of the server, on a socket that the supervisor holds. Credentials are sent only to this address.
        proxy: `host:port` of the proxy that forwards TLS connections to schedulers. The proxy opens its socket itself, so
            another user may listen there after it dies; without a cluster's key no process can impersonate its scheduler.
        password: credential of all clients.
        proxy_token: credential with which the proxy requests its routes from the server.
        database_key: key that encrypts the clusters' keys in the database.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    folder: Path
    api: str
    proxy: str
    password: str
    proxy_token: str
    database_key: str

    @property
    def url(self) -> str:
        """URL of the gateway's API."""
        return f"http://{self.api}"

    @property
    def proxy_options(self) -> dict[str, dict[str, Any]]:
        """The configuration that the proxy and the server share."""
        return {"Proxy": {"externally_managed": True, "address": self.proxy, "api_token": self.proxy_token}}


def prepare_gateway(settings: Settings, api: str) -> GatewayPlan:
    """Choose credentials and the proxy's port, and empty the folder: no process of an earlier stack is alive. Blocks.

    Args:
        settings: settings of the stack.
        api: `host:port` of the server's socket.

    Raises:
        StackFailed: dask-gateway-server is not installed in the stack's environment.
    """
    if importlib.util.find_spec("dask_gateway_server") is None:
        raise StackFailed(
            "dask-gateway-server is not installed for the local stack.", fix=f"{INSTALL}, then `satflow down`."
        )
    folder = settings.state_dir / "gateway"
    shutil.rmtree(folder, ignore_errors=True)
    make_private_folder(folder)
    plan = GatewayPlan(
        folder=folder,
        api=api,
        proxy=_find_free_address(),
        password=secrets.token_urlsafe(32),
        proxy_token=secrets.token_hex(32),
        database_key=base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    )
    atomic_files.write_atomically(_plan_path(settings), plan.model_dump_json().encode())
    return plan


def define_server(
    settings: Settings, plan: GatewayPlan, listener: socket.socket, prefect_url: str | None
) -> ServiceDefinition:
    """Define the service of the Dask Gateway server. After a restart it reads its clusters from its database.

    Args:
        settings: settings of the stack.
        plan: configuration of the gateway.
        listener: listening socket of the server.
        prefect_url: API of the stack's own Prefect server, to which the stack uploads the log lines of Dask workers.
    """
    module = ("satflow_ext.stack.gateway_server", str(_plan_path(settings)), str(listener.fileno()))
    process = replace(
        _process_plan(settings, "dask-gateway", *module, watched=True), inherited_sockets=(listener.fileno(),)
    )
    if prefect_url is not None:
        process = replace(process, environment={**process.environment, STACK_API: prefect_url})
    return ServiceDefinition(process, plan.url, lambda: _is_gateway_ready(plan.api), listener=listener)


def define_proxy(settings: Settings, plan: GatewayPlan) -> ServiceDefinition:
    """Define the service of the gateway's proxy, through which runs reach their schedulers even while the server is down."""
    module = ("satflow_ext.stack.gateway_proxy", str(_plan_path(settings)))
    process = _process_plan(settings, "dask-gateway-proxy", *module, watched=False)
    return ServiceDefinition(
        process, f"tls://{plan.proxy}", lambda: _is_proxy_ready(plan.proxy, service_environment.stack_mark(settings))
    )


def _process_plan(settings: Settings, name: str, *module: str, watched: bool) -> ProcessPlan:
    return ProcessPlan(
        name=name,
        module=module,
        environment=service_environment.base_environment(os.environ, settings),
        log=service_definitions.log_path(settings, name),
        ends_with_supervisor=watched,
    )


def _plan_path(settings: Settings) -> Path:
    return settings.runtime_dir / "gateway.json"


def _find_free_address() -> str:
    """Return the `host:port` of a loopback port that is free now."""
    with service_definitions.open_listener() as probe:
        return service_definitions.listener_address(probe)


async def _is_proxy_ready(address: str, mark: str) -> bool:
    """Return whether the stack's proxy answers at an address, not a process of another user that took the port first."""
    listens = await asyncio.to_thread(stack_processes.listens_on_port, mark, int(address.rpartition(":")[2]))
    return listens and await _is_gateway_ready(address)


async def _is_gateway_ready(address: str) -> bool:
    """Return whether a gateway answers at an address."""
    async with httpx.AsyncClient(timeout=2.0, trust_env=False, verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)) as http:
        try:
            return (await http.get(f"http://{address}/api/health")).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False
