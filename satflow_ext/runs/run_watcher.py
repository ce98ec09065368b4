"""Watching the list of runs: one loop, however many look at it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import suppress

from satflow_ext.errors import SatflowError
from satflow_ext.models import Run, RunQuery
from satflow_ext.runs.log_follower import Where
from satflow_ext.runs.run_list import list_runs
from satflow_ext.runs.run_rows import TERMINAL

log = logging.getLogger(__name__)

BUSY = 1.0
"""Seconds between two looks while a run is under way."""
QUIET = 3.0
"""Seconds between two looks while none is."""


class RunWatcher:
    """Looks at the newest runs while somebody wants to know, and tells when anything but a duration has changed.

    Args:
        where: says where the Prefect API is.
    """

    def __init__(self, where: Where) -> None:
        self._where = where
        self._seen: tuple[Run, ...] | None = None
        self._task: asyncio.Task[None] | None = None
        self._watchers = 0
        self._changed = asyncio.Event()
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Look now: something was just done to a run."""
        self._woken.set()

    async def changes(self) -> AsyncGenerator[None, None]:
        """Gives something whenever the list of runs has changed, and at once to begin with."""
        self._watchers += 1
        if self._task is None:
            self._task = asyncio.create_task(self._watch())
        try:
            while True:
                changed = self._changed
                yield None
                await changed.wait()
        finally:
            self._watchers -= 1
            if self._watchers == 0:
                await self.close()

    async def close(self) -> None:
        """Stop looking."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _watch(self) -> None:
        while True:
            try:
                await self._look()
            except SatflowError:
                pass  # a Prefect API that is away changes nothing; who reads the list is told why by that
            except Exception:  # the edge of the watching: whoever waits would wait for ever if it ended here
                log.exception("Looking at the list of runs failed; the next look comes in %s s.", QUIET)
            busy = any(run.state_type not in TERMINAL for run in self._seen or ())
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._woken.wait(), BUSY if busy else QUIET)
            self._woken.clear()

    async def _look(self) -> None:
        found = await list_runs(await self._where(), RunQuery())
        seen = tuple(run.model_copy(update={"duration": 0.0, "created": None}) for run in found)
        if seen != self._seen:
            self._seen = seen
            changed, self._changed = self._changed, asyncio.Event()
            changed.set()
