"""Definitions of the stack's services, apart from the Dask Gateway; and the limit of simultaneous flow runs.

The Prefect worker's own `--limit` counts only the runs that this worker has started: runs continue when it is killed, and the
next worker would start as many again. The work pool's concurrency limit counts all runs that are Pending or Running.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import httpx

from satflow_ext import atomic_files
from satflow_ext.endpoints import LOCAL_POOL, WORKER_TYPE
from satflow_ext.errors import StackFailed
from satflow_ext.settings import Settings
from satflow_ext.stack import service_environment
from satflow_ext.stack.missed_runs import skip_superseded
from satflow_ext.stack.orphaned_runs import STACK_DIED, WORKER_DIED, end_orphaned_runs
from satflow_ext.stack.prefect_calls import Credential, PoolLimit, PrefectCalls
from satflow_ext.stack.process import ProcessPlan
from satflow_ext.stack.service_keeper import ServiceDefinition

Answered = TypeVar("Answered")

ENVELOPE_SIZE = 16 * 1024 * 1024
"""Bytes that the store accepts beyond the content limit: headers, and manifests if the limit is small."""

ANSWER_TIMEOUT = 180.0
"""Seconds that a Prefect server that was ready may fail to answer."""

WORKER_START_TIMEOUT = 300.0
"""Seconds that a Prefect worker may take to be ready once its server answers: it polls and logs even if it never gets ready."""

WORKER_NAME = "satflow-local"
"""Name of the Prefect worker. It never changes, so that each start reuses the previous entry and leaves none offline."""


WITHOUT_BLOCK_REGISTRATION = {
    "PREFECT_SERVER_API_BLOCKS_REGISTER_ON_START": "false",
    "PREFECT_SERVER_MEMOIZE_BLOCK_AUTO_REGISTRATION": "false",  # otherwise the server imports the packages nevertheless
}

BACKLOG = 1024
"""Length of a listening socket's queue, where connections wait while the service restarts."""
logger = logging.getLogger(__name__)


def open_listener() -> socket.socket:
    """Open a socket that listens on a free loopback port. While it is open, no other user can listen on that port."""
    return socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)


def listener_address(listener: socket.socket) -> str:
    """Return the `host:port` of a listening socket."""
    host, port = listener.getsockname()
    return f"{host}:{port}"


def prefect_url(listener: socket.socket) -> str:
    """Return the URL of the Prefect API on a listening socket."""
    return f"http://{listener_address(listener)}/api"


def log_path(settings: Settings, name: str) -> Path:
    """Return the log file of a service."""
    return settings.state_dir / "logs" / f"{name}.log"


def define_prefect_server(
    settings: Settings, credential: Credential, listener: socket.socket, *, is_prepared: bool
) -> ServiceDefinition:
    """Define the Prefect server, without its unsafe defaults and on a socket that the supervisor holds.

    Args:
        settings: settings of the stack.
        credential: address and credential of the server.
        listener: the socket.
        is_prepared: whether its SQLite database is prepared for the installed packages.
    """
    environment = service_environment.prefect_server_environment(os.environ, settings, credential.auth)
    preparation: tuple[str, ...] = ()
    if service_environment.DATABASE_VARIABLE not in os.environ:
        environment |= WITHOUT_BLOCK_REGISTRATION  # preparing the database does it, and only once
        if not is_prepared:
            database = service_environment.prefect_home(settings) / service_environment.DATABASE_FILE
            preparation = ("--prepare", str(database))
    plan = ProcessPlan(
        name="prefect-server",
        module=("satflow_ext.stack.prefect_server", "--fd", str(listener.fileno()), *preparation),
        environment=environment,
        preload=("prefect.server.api.server", "uvicorn", "satflow_ext.settings"),
        log=log_path(settings, "prefect-server"),
        inherited_sockets=(listener.fileno(),),
    )
    return ServiceDefinition(plan, credential.url, lambda: _is_server_ready(credential), listener=listener)


def define_prefect_worker(
    settings: Settings, credential: Credential, before_start: Callable[[], Awaitable[None]]
) -> ServiceDefinition:
    """Define the Prefect worker, without package installs. It creates its work pool in a shared database."""
    pool = ("--pool", LOCAL_POOL, "--type", WORKER_TYPE, "--name", WORKER_NAME, "--install-policy", "never")
    limit = ("--limit", str(settings.run_limit))
    plan = ProcessPlan(
        name="prefect-worker",
        module=("prefect", "worker", "start", *pool, *limit),
        environment=service_environment.prefect_worker_environment(
            os.environ, settings, credential.url, credential.auth
        ),
        log=log_path(settings, "prefect-worker"),
        preload=(
            *("prefect.cli.worker", "satflow_ext.run_template.worker", "prefect.runner"),
            "prefect.plugins:load_prefect_collections",
        ),
        waits=True,
    )
    earlier: datetime | None = None
    cause = STACK_DIED

    async def leftovers_ended() -> None:
        nonlocal earlier, cause
        await before_start()
        if (
            service_environment.DATABASE_VARIABLE not in os.environ
        ):  # a shared database also contains runs of other machines
            await _retry_until_answered(lambda: apply_run_limit(settings, credential))
            # When the stack starts, all processes of an earlier stack have been ended already.
            mark = None if cause == STACK_DIED else service_environment.stack_mark(settings)
            await _retry_until_answered(lambda: _end_orphaned_runs(credential, cause, mark))
            if cause == STACK_DIED:
                await _retry_until_answered(lambda: skip_superseded(settings, credential))
        cause = WORKER_DIED  # cause for runs that a restart of the worker finds in the same stack
        earlier = await _retry_until_answered(lambda: _read_last_heartbeat(credential))

    return ServiceDefinition(
        plan, None, lambda: _is_worker_online(credential, earlier), leftovers_ended, start_timeout=WORKER_START_TIMEOUT
    )


def define_store(settings: Settings, listener: socket.socket, token: Path) -> ServiceDefinition:
    """Define the built-in store, on a socket that the supervisor holds, so that its address survives restarts."""
    url = f"http://{listener_address(listener)}"
    plan = ProcessPlan(
        name="store",
        module=(
            *("satflow_ext.store", "--root", str(settings.state_dir / "store"), "--fd", str(listener.fileno())),
            *("--token-file", str(token), "--limit", str(settings.content_limit + ENVELOPE_SIZE)),
        ),
        environment=service_environment.base_environment(os.environ, settings),
        log=log_path(settings, "store"),
        inherited_sockets=(listener.fileno(),),
    )
    return ServiceDefinition(plan, f"{url}/contents", lambda: _is_store_ready(url), listener=listener)


async def _is_server_ready(credential: Credential) -> bool:
    """Return whether the Prefect server answers on its port, which this process holds."""
    async with PrefectCalls(credential, timeout=2.0) as calls:
        return await calls.is_ready()


async def _is_worker_online(credential: Credential, earlier_heartbeat: datetime | None) -> bool:
    """Return whether the worker has sent a heartbeat: Prefect shows its predecessor as online for a minute after its death.

    Args:
        credential: credential of the Prefect server.
        earlier_heartbeat: last heartbeat of the previous worker. Only compared for equality: the clock may change.
    """
    try:
        async with PrefectCalls(credential) as calls:
            workers = await calls.read_workers()
    except httpx.HTTPError:  # the Prefect server may have died at the same moment and be restarting
        return False
    return any(
        each.name == WORKER_NAME
        and each.status == "ONLINE"
        and each.last_heartbeat_time not in (earlier_heartbeat, None)
        for each in workers
    )


async def _read_last_heartbeat(credential: Credential) -> datetime | None:
    async with PrefectCalls(credential) as calls:
        return next((each.last_heartbeat_time for each in await calls.read_workers() if each.name == WORKER_NAME), None)


async def _end_orphaned_runs(credential: Credential, cause: str, mark: str | None) -> None:
    async with PrefectCalls(credential) as calls:
        await end_orphaned_runs(calls, cause, mark=mark)


async def _retry_until_answered(call: Callable[[], Awaitable[Answered]]) -> Answered:
    """Repeat a call until the Prefect server answers, which may be restarting.

    Raises:
        StackFailed: the call failed for `ANSWER_TIMEOUT` seconds.
    """
    deadline = time.monotonic() + ANSWER_TIMEOUT
    while True:
        try:
            return await call()
        except httpx.HTTPError as error:
            if time.monotonic() > deadline:
                raise StackFailed(f"The Prefect server does not answer: {error or type(error).__name__}.") from error
            await asyncio.sleep(0.5)


async def _is_store_ready(url: str) -> bool:
    async with httpx.AsyncClient(timeout=1.0, trust_env=False, verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)) as http:
        try:
            await http.get(url)
        except httpx.TransportError:
            await asyncio.sleep(0.05)
            return False
    return True


def choose_limit(current: int | None, last_set: int | None, run_limit: int) -> int | None:
    """Return the limit to set on the work pool, None if it keeps its current limit.

    A lower limit that the user has set in Prefect is kept. A lower limit that SatFlow set for an earlier `run_limit` is replaced.

    Args:
        current: current limit of the work pool.
        last_set: limit that SatFlow set last.
        run_limit: value of the setting.
    """
    if current == run_limit:
        return None
    is_users = current is not None and current < run_limit and current != last_set
    return None if is_users else run_limit


async def apply_run_limit(settings: Settings, credential: Credential) -> None:
    """Set the limit of the local work pool from the settings, and create the pool if it is missing.

    Args:
        settings: settings with the limit, and with the folder in which the last limit is recorded.
        credential: credential of the stack's own Prefect server.

    Raises:
        httpx.HTTPError: the server did not answer.
    """
    async with PrefectCalls(credential) as calls:
        found = await calls.read_pool_limit()
        if found is None:
            await calls.create_pool(settings.run_limit)
        elif (limit := _choose_pool_limit(found, settings)) is not None:
            await calls.set_pool_limit(limit)
        elif found.concurrency_limit != settings.run_limit:
            logger.info(
                "The work pool keeps the limit of %s simultaneous runs that was set in Prefect.",
                found.concurrency_limit,
            )
            return
    if _read_last_set(settings) != settings.run_limit:  # a restart of the Prefect worker must not need disk space
        await asyncio.to_thread(atomic_files.write_atomically, _record_path(settings), str(settings.run_limit).encode())


def _choose_pool_limit(found: PoolLimit, settings: Settings) -> int | None:
    return choose_limit(found.concurrency_limit, _read_last_set(settings), settings.run_limit)


def _read_last_set(settings: Settings) -> int | None:
    with contextlib.suppress(OSError, ValueError):
        return int(_record_path(settings).read_text())
    return None


def _record_path(settings: Settings) -> Path:
    return settings.state_dir / "run-limit"
