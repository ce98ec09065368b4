"""The Dask Gateway of the local stack: started when somebody first asks for it, with a folder and a credential of its own."""

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

import httpx
from pydantic import BaseModel, ConfigDict

from satflow_ext import atomic_files
from satflow_ext.errors import StackFailed
from satflow_ext.gateways.connection import INSTALL
from satflow_ext.lease.address import private_folder
from satflow_ext.lease.start import STACK_API
from satflow_ext.settings import Settings
from satflow_ext.stack import environment, service_definitions, stack_processes
from satflow_ext.stack.process import Plan
from satflow_ext.stack.service_keeper import Role


class GatewayPlan(BaseModel):
    """What the server's process reads from a private file, so that no credential stands in its arguments.

    Args:
        folder: where its database, the clusters' folders and what Dask workers spill are.
        api: `host:port` of the server itself, on a socket of the supervisor's. Credentials go here only.
        proxy: `host:port` of its proxy, for schedulers by TLS. The proxy opens its socket itself, so another user may listen
            there after its death; without a cluster's key nobody can answer as its scheduler.
        password: the credential of all clients.
        proxy_token: the credential with which the proxy asks the server for its routes.
        database_key: encrypts the clusters' keys in the database.
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
        """Where clients find its API."""
        return f"http://{self.api}"


def prepare(settings: Settings, api: str) -> GatewayPlan:
    """Choose credentials and the proxy's port, and empty the folder: nothing of an earlier stack is alive. Blocks.

    Args:
        settings: where its files are.
        api: `host:port` of the socket on which the server answers.

    Raises:
        StackFailed: dask-gateway is not installed where the stack runs.
    """
    if importlib.util.find_spec("dask_gateway_server") is None:
        raise StackFailed("The local stack has no dask-gateway-server.", fix=f"{INSTALL}, then `satflow down`.")
    folder = settings.state_dir / "gateway"
    shutil.rmtree(folder, ignore_errors=True)
    private_folder(folder)
    plan = GatewayPlan(
        folder=folder,
        api=api,
        proxy=_free_address(),
        password=secrets.token_urlsafe(32),
        proxy_token=secrets.token_hex(32),
        database_key=base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    )
    atomic_files.replace(_file(settings), plan.model_dump_json().encode())
    return plan


def server(settings: Settings, plan: GatewayPlan, listener: socket.socket, prefect_url: str | None) -> Role:
    """Dask Gateway's own server. Started again after a death, it finds its clusters in its database.

    Args:
        settings: where its files are.
        plan: what it is started with.
        listener: its socket.
        prefect_url: the API of the stack's own Prefect server, to which the stack uploads what Dask workers log.
    """
    module = ("satflow_ext.stack.gateway_server", str(_file(settings)), str(listener.fileno()))
    process = replace(_process(settings, "dask-gateway", *module, watched=True), passed=(listener.fileno(),))
    if prefect_url is not None:
        process = replace(process, environment={**process.environment, STACK_API: prefect_url})
    return Role(process, plan.url, lambda: _answers(plan.api), listener=listener)


def proxy(settings: Settings, plan: GatewayPlan) -> Role:
    """Its proxy: through it go clients to the server, and runs to their schedulers also while the server is dead."""
    module = ("satflow_ext.stack.gateway_proxy", str(_file(settings)))
    process = _process(settings, "dask-gateway-proxy", *module, watched=False)
    return Role(process, f"tls://{plan.proxy}", lambda: _healthy(plan.proxy, environment.mark(settings)))


def _process(settings: Settings, name: str, *module: str, watched: bool) -> Plan:
    return Plan(
        name=name,
        module=module,
        environment=environment.bare(os.environ, settings),
        log=service_definitions.logs(settings, name),
        watched=watched,
    )


def _file(settings: Settings) -> Path:
    return settings.runtime_dir / "gateway.json"


def _free_address() -> str:
    """The `host:port` of a loopback port where nobody listens now."""
    with service_definitions.listen() as probe:
        return service_definitions.address_of(probe)


async def _healthy(address: str, mark: str) -> bool:
    """Whether the proxy answers there, and not another user's process that was quicker at the port."""
    listens = await asyncio.to_thread(stack_processes.listens, mark, int(address.rpartition(":")[2]))
    return listens and await _answers(address)


async def _answers(address: str) -> bool:
    """Whether the gateway answers there."""
    async with httpx.AsyncClient(timeout=2.0, trust_env=False, verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)) as http:
        try:
            return (await http.get(f"http://{address}/api/health")).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False
