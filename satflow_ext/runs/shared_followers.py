"""Log followers that are shared: one for each followed run, for any number of readers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from satflow_ext.errors import SatflowError
from satflow_ext.prefect_api import prefect_client
from satflow_ext.runs.log_book import LogBook
from satflow_ext.runs.log_follower import Follower, Where
from satflow_ext.settings import Settings

log = logging.getLogger(__name__)

GRACE = 60.0
"""Seconds that a follower outlives its last reader: a reloaded page continues at its position, with its old cursor."""


@dataclass
class _Watched:
    """A running follower and the number of its readers."""

    follower: Follower
    task: asyncio.Task[None]
    watchers: int = 0
    leaving: asyncio.TimerHandle | None = None


class Followers:
    """The followers of one server.

    Args:
        where: returns the Prefect API.
        settings: this machine's settings, to follow runs of its local stack.
    """

    def __init__(self, where: Where, settings: Settings | None = None) -> None:
        self._where = where
        self._settings = settings
        self._watched: dict[str, _Watched] = {}

    @asynccontextmanager
    async def following(self, run_id: str) -> AsyncIterator[LogBook]:
        """Provide the log book of a run, which is kept up to date at least until the end of the block.

        Raises:
            RunNotFound: Prefect has no flow run with that id.
            SatflowError: the Prefect API could not be reached at the start.
        """
        if run_id not in self._watched:
            await self._begin(run_id)
        watched = self._watched[run_id]
        watched.watchers += 1
        if watched.leaving is not None:
            watched.leaving.cancel()
        try:
            yield watched.follower.book
        finally:
            watched.watchers -= 1
            if watched.watchers == 0:
                watched.leaving = asyncio.get_running_loop().call_later(GRACE, self._forget, run_id, watched)

    async def close(self) -> None:
        """Stop all followers."""
        tasks = [watched.task for watched in self._watched.values()]
        for run_id, watched in list(self._watched.items()):
            self._forget(run_id, watched)
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _begin(self, run_id: str) -> None:
        follower = Follower(self._where, run_id, self._settings)
        async with prefect_client(await self._where()) as client:
            await follower.find(client)
        # Another reader may have started a follower in the meantime.
        if run_id not in self._watched:
            task = asyncio.create_task(follower.run())
            task.add_done_callback(lambda done: self._check(run_id, done))
            self._watched[run_id] = _Watched(follower, task)

    def _check(self, run_id: str, done: asyncio.Task[None]) -> None:
        """Report an unexpected failure of a follower, and let the next reader start another one."""
        if done.cancelled() or (error := done.exception()) is None:
            return
        log.error("Following the log of run %s failed.", run_id, exc_info=error)
        watched = self._watched.pop(run_id)
        watched.follower.book.report(
            SatflowError("Following this log failed; see the Jupyter server's log for the reason.")
        )
        watched.follower.book.end()

    def _forget(self, run_id: str, watched: _Watched) -> None:
        if self._watched.get(run_id) is not watched:  # it failed, and another one follows the run now
            return
        del self._watched[run_id]
        if watched.leaving is not None:
            watched.leaving.cancel()
        watched.task.cancel()
