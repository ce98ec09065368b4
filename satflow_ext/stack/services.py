"""The running services of the stack, and their common start and end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Mapping
from pathlib import Path
from typing import Any

import httpx

from satflow_ext import atomic_files
from satflow_ext.disk_room import check_free_space
from satflow_ext.endpoints import Service
from satflow_ext.errors import DiskFull
from satflow_ext.lease.address import make_private_folder
from satflow_ext.lease.messages import ServiceReport
from satflow_ext.settings import Settings
from satflow_ext.stack import (
    gateway,
    prefect_database,
    service_definitions,
    service_environment,
    stack_processes,
)
from satflow_ext.stack.database_template import begin_database
from satflow_ext.stack.orphaned_runs import STACK_STOPPED, end_orphaned_runs
from satflow_ext.stack.prefect_calls import Credential, PrefectCalls
from satflow_ext.stack.service_keeper import ServiceKeeper

FLOW_RUN_GRACE = 1.5
"""Seconds that flow runs and their Dask workers have to exit; the whole shutdown takes at most five seconds."""

DISK_CHECK_PAUSE = 10.0
"""Seconds between two checks of the free disk space during a start."""

logger = logging.getLogger(__name__)


class StackServices:
    """The services of one stack.

    Args:
        settings: settings of the stack.
        on_step: callback that receives a text for each step of the start.
    """

    def __init__(self, settings: Settings, on_step: Callable[[str], None]) -> None:
        self._settings = settings
        self._on_step = on_step
        self._keepers: dict[str, ServiceKeeper] = {}
        self.credential: Credential | None = None
        self.store_url: str | None = None
        self.store_token: str | None = None
        self.gateway_url: str | None = None
        self.gateway_schedulers: str | None = None
        self.gateway_password: str | None = None
        self._listeners: dict[str, socket.socket] = {}

    async def start_services(self, needs: Collection[Service]) -> None:
        """Start the needed services that do not run yet; independent services start at the same time.

        Raises:
            StackFailed: a service did not start.
            DiskFull: there is no disk space for its files, or the disk became full during the start.
        """
        start_functions = [
            start
            for service, start, runs in (
                ("prefect", self._start_prefect, self.credential),
                ("store", self._start_store, self.store_url),
                ("gateway", self._start_gateway, self.gateway_url),
            )
            if service in needs and runs is None
        ]
        if start_functions:
            await self._check_disk_space()
            await self._start_all(start_functions)

    async def _start_all(self, starters: Collection[Callable[[], Coroutine[Any, Any, None]]]) -> None:
        starting = [asyncio.create_task(start()) for start in starters]
        watching = asyncio.create_task(self._watch_disk_space(starting))
        try:
            # Wait for all: the next lease would start a second process of a service that is still starting.
            failures = [each for each in await asyncio.gather(*starting, return_exceptions=True) if each is not None]
        finally:
            watching.cancel()
        if failures:
            (full,) = await asyncio.gather(watching, return_exceptions=True)
            if isinstance(full, DiskFull):
                raise full
            await self._check_disk_space()  # a full disk is a better reason than the failures that it caused
            raise failures[0]

    async def _watch_disk_space(self, starting: Collection[asyncio.Task[None]]) -> None:
        """Cancel the start when a disk becomes full: a service may retry its writes indefinitely."""
        try:
            while True:
                await asyncio.sleep(DISK_CHECK_PAUSE)
                await self._check_disk_space()
        except DiskFull:
            for task in starting:
                task.cancel()
            raise

    async def _check_disk_space(self) -> None:
        await asyncio.to_thread(check_free_space, (self._settings.state_dir, self._settings.runtime_dir))

    async def end_services(self) -> None:
        """End every process of the stack and set the final state of its flow runs."""
        for kept in self._keepers.values():
            kept.stop_restarting()
        server = self._keepers.get("prefect-server")
        spared_ids = [server.pid] if server and server.pid else []
        mark = service_environment.stack_mark(self._settings)
        await asyncio.to_thread(stack_processes.end_processes, mark, spare=spared_ids, grace=FLOW_RUN_GRACE)
        if server is not None and server.pid:
            await self._end_flow_runs()
            await server.stop(grace=1.0)
        await asyncio.to_thread(stack_processes.end_processes, mark)
        for listener in self._listeners.values():
            listener.close()

    def build_reports(self) -> tuple[ServiceReport, ...]:
        """Return the reports of the services for `satflow status`."""
        return tuple(kept.build_report() for kept in self._keepers.values())

    async def _start_prefect(self) -> None:
        listener = self._get_listener("prefect-server")
        home = make_private_folder(service_environment.prefect_home(self._settings))
        is_prepared = await self._begin_database(home / service_environment.DATABASE_FILE)
        auth = f"satflow:{secrets.token_urlsafe(32)}"
        credential = Credential(service_definitions.prefect_url(listener), auth)
        server = ServiceKeeper(
            service_definitions.define_prefect_server(self._settings, credential, listener, is_prepared=is_prepared)
        )
        answers = asyncio.Event()

        async def before() -> None:
            await answers.wait()

        worker = ServiceKeeper(service_definitions.define_prefect_worker(self._settings, credential, before))
        self._on_step("Starting the Prefect server")
        async with self._start_together({"prefect-server": server, "prefect-worker": worker}) as (serving, warming):
            # The Prefect worker imports its modules meanwhile and then waits for the server, unless it fails earlier.
            await asyncio.wait([serving, warming], return_when=asyncio.FIRST_COMPLETED)
            if warming.done():
                await warming
            await serving
            self._on_step("Starting the Prefect worker")
            answers.set()
            await warming
        self.credential = credential

    async def _begin_database(self, path: Path) -> bool:
        """Check the server's SQLite database, or create it from the template. Return whether it is prepared."""
        if service_environment.DATABASE_VARIABLE in os.environ:
            return False
        if path.exists():
            self._on_step("Checking the Prefect server's database")
            await asyncio.to_thread(prefect_database.check_database, path)
        return await asyncio.to_thread(begin_database, self._settings, path)

    async def _start_store(self) -> None:
        make_private_folder(self._settings.state_dir / "store")
        path = self._settings.runtime_dir / "store.token"
        token = secrets.token_urlsafe(32)
        await asyncio.to_thread(atomic_files.write_atomically, path, token.encode())
        role = service_definitions.define_store(self._settings, self._get_listener("store"), path)
        async with self._start_together({"store": ServiceKeeper(role)}) as (starting,):
            await starting
        self.store_url, self.store_token = role.url, token

    async def _start_gateway(self) -> None:
        listener = self._get_listener("dask-gateway")
        plan = await asyncio.to_thread(
            gateway.prepare_gateway, self._settings, service_definitions.listener_address(listener)
        )
        self._on_step("Starting the Dask Gateway")
        prefect = self._listeners.get("prefect-server")
        prefect_url = service_definitions.prefect_url(prefect) if prefect else None
        server = ServiceKeeper(gateway.define_server(self._settings, plan, listener, prefect_url))
        proxy = ServiceKeeper(gateway.define_proxy(self._settings, plan))
        async with self._start_together({"dask-gateway": server, "dask-gateway-proxy": proxy}) as starting:
            await asyncio.gather(*starting)
        self.gateway_url, self.gateway_schedulers, self.gateway_password = plan.url, plan.proxy, plan.password

    @contextlib.asynccontextmanager
    async def _start_together(
        self, services: Mapping[str, ServiceKeeper]
    ) -> AsyncIterator[tuple[asyncio.Task[None], ...]]:
        """Start services at the same time; if anything fails inside the block, stop and remove all of them.

        Otherwise an unused service would keep running, and the next start would add a second process of it.

        Args:
            services: services by name.

        Returns:
            The tasks that start the services, in the same order.
        """
        self._keepers |= services
        starting = tuple(asyncio.create_task(each.start()) for each in services.values())
        try:
            yield starting
        except BaseException:
            for task in starting:
                task.cancel()
            await asyncio.gather(*starting, return_exceptions=True)
            await asyncio.gather(*(each.stop(0.5) for each in services.values()), return_exceptions=True)
            for name in services:
                self._keepers.pop(name, None)
            raise

    def _get_listener(self, name: str) -> socket.socket:
        """Return the listening socket of a service, which stays open until the end of the stack."""
        if name not in self._listeners:
            self._listeners[name] = service_definitions.open_listener()
        return self._listeners[name]

    async def _end_flow_runs(self) -> None:
        if self.credential is None or service_environment.DATABASE_VARIABLE in os.environ:
            return
        with contextlib.suppress(httpx.HTTPError, asyncio.TimeoutError):
            async with PrefectCalls(self.credential, timeout=1.0) as calls:
                await asyncio.wait_for(end_orphaned_runs(calls, STACK_STOPPED), 1.0)
