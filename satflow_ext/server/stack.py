"""The stack of this server: the local stack, which it keeps alive by a lease, or the services in the settings."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from http import HTTPStatus

from jupyter_server.auth.decorator import authorized
from tornado import web

from satflow_ext import endpoints, lease
from satflow_ext.endpoints import Endpoints
from satflow_ext.errors import StackFailed
from satflow_ext.lease import Lease
from satflow_ext.models import StackStatus
from satflow_ext.server.base_handler import SatflowHandler
from satflow_ext.server.lazy_imports import import_prefect_modules
from satflow_ext.settings import Settings


class StackManager:
    """Holds a lease on the local stack from its first use to the server's end.

    The first use starts the stack. If it was stopped or did not start, only `start` tries again: otherwise the browser's next
    read of the list of runs would undo `satflow down`.

    Args:
        load_settings: loads the current settings; called until it succeeds once.
    """

    def __init__(self, load_settings: Callable[[], Settings]) -> None:
        self._load_settings = load_settings
        self._settings: Settings | None = None
        self._step: str | None = None
        self._acquisition: asyncio.Task[Lease] | None = None
        self._given_up = threading.Event()

    @property
    def settings(self) -> Settings:
        """The settings, which stay the same for the lifetime of this server.

        Raises:
            SettingsWrong: they cannot be read.
        """
        if self._settings is None:
            self._settings = self._load_settings()
        return self._settings

    async def endpoints(self) -> Endpoints:
        """Return the endpoints, once their services run and the modules that use them are imported.

        Raises:
            StackFailed: the local stack did not start, or was stopped.
            SettingsWrong: the settings cannot be read, or refer to a variable that is not set.
        """
        held, _ = await asyncio.gather(self._get_lease(), import_prefect_modules())
        return endpoints.resolve_endpoints(self.settings, held.record)

    async def start(self) -> StackStatus:
        """Start the local stack if it is needed and does not run, without waiting for it."""
        if (await self.status()).state in ("stopped", "failed") and not await self._holds_lease():
            await self._release_lease()
            self._start_acquiring()
        return await self.status()

    async def status(self) -> StackStatus:
        """Return the status of the local stack, or of the services in the settings."""
        found = await asyncio.to_thread(lease.read_status, self.settings)
        task = self._acquisition
        if task is None or task.cancelled():
            return found
        if not task.done():
            return found.model_copy(update={"state": "starting", "step": self._step})
        # Another process may have started the stack since this one failed to.
        if (error := task.exception()) is not None and found.state not in ("ready", "starting"):
            return found.model_copy(update={"state": "failed", "step": str(error)})
        return found

    async def close(self) -> None:
        """Release the lease."""
        await self._release_lease()

    async def _get_lease(self) -> Lease:
        await self._discard_failure()
        if self._acquisition is None:
            self._start_acquiring()
        task = self._acquisition
        held = await self._await_lease()
        if not await asyncio.to_thread(held.wait_lost, 0):
            return held
        if await asyncio.to_thread(lease.read_report, self.settings) is None:
            raise StackFailed("The local stack was stopped.", fix="Start it again.")
        # Another process has restarted the stack. A lease that another request has acquired in the meantime is kept.
        if self._acquisition is task:
            await self._release_lease()
        self._start_acquiring()
        return await self._await_lease()

    async def _discard_failure(self) -> None:
        """Discard a failed attempt if another process runs the stack now; this starts nothing."""
        task = self._acquisition
        if task is None or not _has_failed(task):
            return
        runs = await asyncio.to_thread(lease.read_report, self.settings) is not None
        if runs and self._acquisition is task:
            await self._release_lease()

    async def _await_lease(self) -> Lease:
        assert self._acquisition is not None
        # The request may be cancelled; the stack continues to start for the others.
        return await asyncio.shield(self._acquisition)

    async def _holds_lease(self) -> bool:
        """Return whether the stack runs for this server: a new lease would not fix its failures, such as a full disk."""
        task = self._acquisition
        if task is None or not task.done() or task.cancelled() or task.exception() is not None:
            return False
        return not await asyncio.to_thread(task.result().wait_lost, 0)

    def _start_acquiring(self) -> None:
        if self._acquisition is None:
            self._step = "starting the local stack"
            self._acquisition = asyncio.create_task(self._acquire_lease())
            # A request that waits for it gets the error; without one, `status` shows it.
            self._acquisition.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def _acquire_lease(self) -> Lease:
        loop = asyncio.get_running_loop()

        def on_step(step: str) -> None:
            loop.call_soon_threadsafe(setattr, self, "_step", step)

        given_up = self._given_up = threading.Event()
        return await asyncio.to_thread(lease.acquire_lease, self.settings, on_step=on_step, cancelled=given_up)

    async def _release_lease(self) -> None:
        task, self._acquisition = self._acquisition, None
        if task is None:
            return
        # The thread that waits for the stack gives up; if it returns a lease nevertheless, the lease is released.
        self._given_up.set()
        await asyncio.wait([task])
        if not task.cancelled() and task.exception() is None:
            await asyncio.to_thread(task.result().close)


def _has_failed(task: asyncio.Task[Lease]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is not None


class StackHandler(SatflowHandler):
    """The Prefect API and the store in use."""

    def initialize(self, stack: StackManager) -> None:
        """Keep the manager of the stack of this server."""
        self._stack = stack

    @web.authenticated
    @authorized(action="read", resource="satflow_ext:stack")
    async def get(self) -> None:
        """Reply with the StackStatus."""
        self.reply(await self._stack.status())

    @web.authenticated
    @authorized(action="execute", resource="satflow_ext:stack")
    async def post(self) -> None:
        """Start the local stack if it does not run, and reply with the StackStatus without waiting for it."""
        self.reply(await self._stack.start(), HTTPStatus.ACCEPTED)
