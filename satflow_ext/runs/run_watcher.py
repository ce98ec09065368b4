"""A watcher of the list of runs: one loop for any number of subscribers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import suppress

from satflow_ext.errors import SatflowError
from satflow_ext.models import Run, RunQuery
from satflow_ext.runs.log_follower import ApiLocator
from satflow_ext.runs.run_list import list_runs
from satflow_ext.runs.run_rows import TERMINAL_STATES

log = logging.getLogger(__name__)

BUSY_INTERVAL = 1.0
"""Seconds between two reads while a run is in progress."""
IDLE_INTERVAL = 3.0
"""Seconds between two reads while no run is in progress."""


class RunWatcher:
    """A loop that reads the newest runs while it has subscribers, and notifies them of any change except durations.

    Args:
        locate_api: returns the Prefect API.
    """

    def __init__(self, locate_api: ApiLocator) -> None:
        self._locate_api = locate_api
        self._last_runs: tuple[Run, ...] | None = None
        self._task: asyncio.Task[None] | None = None
        self._subscribers = 0
        self._changed = asyncio.Event()
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Read now, because a run was just changed."""
        self._woken.set()

    async def watch_changes(self) -> AsyncGenerator[None, None]:
        """Yield at once, and then whenever the list of runs has changed."""
        self._subscribers += 1
        if self._task is None:
            self._task = asyncio.create_task(self._watch_list())
        try:
            while True:
                changed = self._changed
                yield None
                await changed.wait()
        finally:
            self._subscribers -= 1
            if self._subscribers == 0:
                await self.close()

    async def close(self) -> None:
        """Stop the loop."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _watch_list(self) -> None:
        while True:
            try:
                await self._read_list()
            except SatflowError:
                pass  # an unreachable Prefect API is not a change; a client that reads the list gets the error
            except Exception:  # the boundary of the loop: subscribers would wait forever if it ended here
                log.exception("Reading the list of runs failed; the next attempt is in %s s.", IDLE_INTERVAL)
            busy = any(run.state_type not in TERMINAL_STATES for run in self._last_runs or ())
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._woken.wait(), BUSY_INTERVAL if busy else IDLE_INTERVAL)
            self._woken.clear()

    async def _read_list(self) -> None:
        found = await list_runs(await self._locate_api(), RunQuery())
        seen = tuple(run.model_copy(update={"duration": 0.0, "created": None}) for run in found)
        if seen != self._last_runs:
            self._last_runs = seen
            changed, self._changed = self._changed, asyncio.Event()
            changed.set()
