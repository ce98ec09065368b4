"""Observers of runs that all browser tabs share: a log follower for each followed run, and one watcher of the list of runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from satflow_ext.errors import SatflowError
from satflow_ext.models import TERMINAL_STATES, Run, RunQuery
from satflow_ext.prefect_api import prefect_client
from satflow_ext.runs.log_book import LogBook
from satflow_ext.runs.log_follower import ApiLocator, LogFollower
from satflow_ext.runs.run_list import list_runs
from satflow_ext.runs.run_rows import read_state_type
from satflow_ext.settings import Settings
from satflow_ext.task_cancellation import cancel_task

log = logging.getLogger(__name__)

GRACE_SECONDS = 60.0
"""Seconds that a follower outlives its last reader: a reloaded page continues at its position, with its old cursor."""
BUSY_INTERVAL = 1.0
"""Seconds between two reads while a run is in progress."""
IDLE_INTERVAL = 3.0
"""Seconds between two reads while no run is in progress."""


@dataclass
class _SharedFollower:
    """A running follower and the number of its readers."""

    follower: LogFollower
    task: asyncio.Task[None]
    readers: int = 0
    stop_timer: asyncio.TimerHandle | None = None


class SharedFollowers:
    """The followers of one server.

    Args:
        locate_api: returns the Prefect API.
        settings: this machine's settings, to follow runs of its local stack.
    """

    def __init__(self, locate_api: ApiLocator, settings: Settings | None = None) -> None:
        self._locate_api = locate_api
        self._settings = settings
        self._followers: dict[str, _SharedFollower] = {}

    @asynccontextmanager
    async def follow_run(self, run_id: str) -> AsyncIterator[LogBook]:
        """Provide the log book of a run, which is kept up to date at least until the end of the block.

        Raises:
            RunNotFound: Prefect has no flow run with that id.
            SatflowError: the Prefect API could not be reached at the start.
        """
        if await self._needs_follower(run_id):
            await self._start_follower(run_id)
        watched = self._followers[run_id]
        watched.readers += 1
        if watched.stop_timer is not None:
            watched.stop_timer.cancel()
        try:
            yield watched.follower.book
        finally:
            watched.readers -= 1
            if watched.readers == 0:
                watched.stop_timer = asyncio.get_running_loop().call_later(
                    GRACE_SECONDS, self._stop_follower, run_id, watched
                )

    async def close(self) -> None:
        """Stop all followers."""
        tasks = [watched.task for watched in self._followers.values()]
        for run_id, watched in list(self._followers.items()):
            self._stop_follower(run_id, watched)
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _needs_follower(self, run_id: str) -> bool:
        """Return whether no follower follows a run, or the follower has ended and the run is executed again."""
        known = self._followers.get(run_id)
        if known is None or not known.task.done():
            return known is None
        async with prefect_client(await self._locate_api()) as client:
            return read_state_type(await known.follower.read_run(client)) not in TERMINAL_STATES

    async def _start_follower(self, run_id: str) -> None:
        follower = LogFollower(self._locate_api, run_id, self._settings)
        async with prefect_client(await self._locate_api()) as client:
            await follower.read_run(client)
        # Another reader may have started a follower in the meantime.
        if (known := self._followers.get(run_id)) is None or known.task.done():
            task = asyncio.create_task(follower.run())
            task.add_done_callback(lambda done: self._handle_failure(run_id, done))
            self._followers[run_id] = _SharedFollower(follower, task)

    def _handle_failure(self, run_id: str, done: asyncio.Task[None]) -> None:
        """Report an unexpected failure of a follower, and let the next reader start another one."""
        if done.cancelled() or (error := done.exception()) is None:
            return
        log.error("Following the log of run %s failed.", run_id, exc_info=error)
        watched = self._followers.pop(run_id)
        watched.follower.book.report_trouble(
            SatflowError("Following this log failed; see the Jupyter server's log for the reason.")
        )
        watched.follower.book.mark_ended()

    def _stop_follower(self, run_id: str, watched: _SharedFollower) -> None:
        if self._followers.get(run_id) is not watched:  # it failed, and another one follows the run now
            return
        del self._followers[run_id]
        if watched.stop_timer is not None:
            watched.stop_timer.cancel()
        watched.task.cancel()


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
            await cancel_task(task)

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
