"""Where runs go: the local stack, which this server keeps alive while it needs it, or what the settings name."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from satflow_ext import endpoints, lease
from satflow_ext.endpoints import Endpoints
from satflow_ext.errors import StackFailed
from satflow_ext.lease import Lease
from satflow_ext.models import StackStatus
from satflow_ext.server.lazy_imports import loaded
from satflow_ext.settings import Settings


class StackManager:
    """Holds a lease on the local stack from the first need to the server's end.

    The first need starts the stack by itself. When it was stopped or did not start, only `start` tries again: otherwise the
    browser's next look at the list of runs would undo `satflow down`.

    Args:
        load_settings: gives the settings in force; asked until it succeeds once.
    """

    def __init__(self, load_settings: Callable[[], Settings]) -> None:
        self._load_settings = load_settings
        self._settings: Settings | None = None
        self._step: str | None = None
        self._acquiring: asyncio.Task[Lease] | None = None
        self._given_up = threading.Event()

    @property
    def settings(self) -> Settings:
        """The settings of this server's life.

        Raises:
            SettingsWrong: they cannot be read.
        """
        if self._settings is None:
            self._settings = self._load_settings()
        return self._settings

    async def endpoints(self) -> Endpoints:
        """Where Prefect and the store are, once both are there and the modules that talk to them are loaded.

        Raises:
            StackFailed: the local stack did not start, or was stopped.
            SettingsWrong: the settings cannot be read, or name a variable that is not set.
        """
        held, _ = await asyncio.gather(self._lease(), loaded())
        return endpoints.resolve(self.settings, held.record)

    async def start(self) -> StackStatus:
        """Start the local stack where it is needed and does not run, without waiting for it."""
        if (await self.status()).state in ("stopped", "failed") and not await self._holds_lease():
            await self._let_go()
            self._begin()
        return await self.status()

    async def status(self) -> StackStatus:
        """Where runs go and whether that place answers."""
        found = await asyncio.to_thread(lease.status, self.settings)
        task = self._acquiring
        if task is None or task.cancelled():
            return found
        if not task.done():
            return found.model_copy(update={"state": "starting", "step": self._step})
        # Another process may have started the stack since this one failed to.
        if (error := task.exception()) is not None and found.state not in ("ready", "starting"):
            return found.model_copy(update={"state": "failed", "step": str(error)})
        return found

    async def close(self) -> None:
        """Let go of the lease."""
        await self._let_go()

    async def _lease(self) -> Lease:
        await self._forget_failure()
        if self._acquiring is None:
            self._begin()
        task = self._acquiring
        held = await self._acquired()
        if not await asyncio.to_thread(held.wait_lost, 0):
            return held
        if await asyncio.to_thread(lease.report, self.settings) is None:
            raise StackFailed("The local stack was stopped.", fix="Start it again.")
        # Somebody has started it anew. What another request has acquired meanwhile is kept.
        if self._acquiring is task:
            await self._let_go()
        self._begin()
        return await self._acquired()

    async def _forget_failure(self) -> None:
        """Forget an attempt that failed where another process runs the stack now; nothing is started for it."""
        task = self._acquiring
        if task is None or not _has_failed(task):
            return
        runs = await asyncio.to_thread(lease.report, self.settings) is not None
        if runs and self._acquiring is task:
            await self._let_go()

    async def _acquired(self) -> Lease:
        assert self._acquiring is not None
        # Who asked may go away; the stack goes on starting for the others.
        return await asyncio.shield(self._acquiring)

    async def _holds_lease(self) -> bool:
        """Return whether the stack runs for this server: what it fails at, such as a full disk, no new lease changes."""
        task = self._acquiring
        if task is None or not task.done() or task.cancelled() or task.exception() is not None:
            return False
        return not await asyncio.to_thread(task.result().wait_lost, 0)

    def _begin(self) -> None:
        if self._acquiring is None:
            self._step = "starting the local stack"
            self._acquiring = asyncio.create_task(self._acquire())
            # Whoever waits for it sees the error; where nobody waits, `status` shows it.
            self._acquiring.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def _acquire(self) -> Lease:
        loop = asyncio.get_running_loop()

        def on_step(step: str) -> None:
            loop.call_soon_threadsafe(setattr, self, "_step", step)

        given_up = self._given_up = threading.Event()
        return await asyncio.to_thread(lease.acquire, self.settings, on_step=on_step, cancelled=given_up)

    async def _let_go(self) -> None:
        task, self._acquiring = self._acquiring, None
        if task is None:
            return
        # The thread that waits for the stack gives up; what it brings nevertheless is given back.
        self._given_up.set()
        await asyncio.wait([task])
        if not task.cancelled() and task.exception() is None:
            await asyncio.to_thread(task.result().close)


def _has_failed(task: asyncio.Task[Lease]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is not None
