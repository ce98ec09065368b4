"""Flow runs: the operations of the browser."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from satflow_ext.disk_room import check_room
from satflow_ext.endpoints import PrefectApi
from satflow_ext.errors import SatflowError
from satflow_ext.models import (
    ErrorBody,
    ErrorFrame,
    LogsFrame,
    Run,
    RunDetail,
    RunList,
    RunQuery,
    RunRequest,
    RunsFrame,
)
from satflow_ext.server.lazy_imports import loaded
from satflow_ext.server.stack import StackManager

if TYPE_CHECKING:
    from satflow_ext.runs.run_watcher import RunWatcher
    from satflow_ext.runs.shared_followers import Followers


@dataclass(frozen=True)
class Live:
    """The followers and the watcher of runs, created for the first subscription."""

    followers: Followers
    watcher: RunWatcher


class RunManager:
    """The sidebar's operations on flow runs.

    Args:
        stack: provides the address of Prefect.
    """

    def __init__(self, stack: StackManager) -> None:
        self._stack = stack
        self._following: Live | None = None

    async def start(self, request: RunRequest) -> Run:
        """Start a run of a deployment now."""
        where = await self._stack.endpoints()
        from satflow_ext import runs

        if where.local:
            await asyncio.to_thread(check_room, (self._stack.settings.state_dir, self._stack.settings.runtime_dir))
        run = await runs.start(where.prefect, request)
        self._changed()
        return run

    async def list_runs(self, query: RunQuery) -> RunList:
        """List runs, newest first."""
        where = await self._stack.endpoints()
        from satflow_ext import runs

        return RunList(runs=await runs.list_runs(where.prefect, query))

    async def detail(self, run_id: str) -> RunDetail:
        """Read the details of one run."""
        where = await self._stack.endpoints()
        from satflow_ext import runs

        return await runs.detail(where.prefect, run_id)

    async def cancel(self, run_id: str) -> Run:
        """Cancel a run."""
        where = await self._stack.endpoints()
        from satflow_ext import runs

        run = await runs.cancel(where.prefect, run_id)
        self._changed()
        return run

    async def whole_log(self, run_id: str) -> AsyncIterator[str]:
        """Yield a run's whole log in pieces of text."""
        where = await self._stack.endpoints()
        from satflow_ext import runs

        async for piece in runs.whole_log(where.prefect, run_id, self._stack.settings):
            yield piece

    async def changes(self) -> AsyncGenerator[RunsFrame, None]:
        """Yield a hint at once, and then whenever the list of runs has changed."""
        watcher = (await self._live()).watcher
        async with aclosing(watcher.changes()) as changes:
            async for _ in changes:
                yield RunsFrame(type="runs.v1")

    async def log(self, run_id: str, cursor: str | None) -> AsyncGenerator[LogsFrame | ErrorFrame, None]:
        """Yield a run's log after a cursor, until it ends. Errors are sent as frames and do not end it."""
        followers = (await self._live()).followers
        async with followers.following(run_id) as book, aclosing(book.batches(cursor)) as batches:
            told: SatflowError | None = None
            async for batch in batches:
                if batch.trouble is not None and batch.trouble is not told:
                    yield ErrorFrame(type="error.v1", topic="logs", run_id=run_id, error=ErrorBody.of(batch.trouble))
                told = batch.trouble
                yield LogsFrame(
                    type="logs.v1",
                    run_id=run_id,
                    reset=batch.reset,
                    lines=batch.lines,
                    cursor=batch.cursor,
                    ended=batch.ended,
                )

    async def close(self) -> None:
        """Stop the watcher and the followers."""
        if self._following is not None:
            await self._following.watcher.close()
            await self._following.followers.close()

    async def _live(self) -> Live:
        await loaded()
        if self._following is None:
            from satflow_ext.runs.run_watcher import RunWatcher
            from satflow_ext.runs.shared_followers import Followers

            self._following = Live(Followers(self._where, self._stack.settings), RunWatcher(self._where))
        return self._following

    async def _where(self) -> PrefectApi:
        return (await self._stack.endpoints()).prefect

    def _changed(self) -> None:
        if self._following is not None:
            self._following.watcher.wake()
