"""Flow runs: the operations of the browser."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from satflow_ext.disk_room import check_free_space
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
from satflow_ext.server.lazy_imports import import_prefect_modules
from satflow_ext.server.stack_manager import StackManager

if TYPE_CHECKING:
    from satflow_ext.runs.run_watcher import RunWatcher
    from satflow_ext.runs.shared_followers import SharedFollowers


@dataclass(frozen=True)
class RunObservers:
    """The followers and the watcher of runs, created for the first subscription."""

    followers: SharedFollowers
    watcher: RunWatcher


class RunManager:
    """The sidebar's operations on flow runs.

    Args:
        stack: provides the address of Prefect.
    """

    def __init__(self, stack: StackManager) -> None:
        self._stack = stack
        self._observers: RunObservers | None = None

    async def start_run(self, request: RunRequest) -> Run:
        """Start a run of a deployment now."""
        where = await self._stack.endpoints()
        from satflow_ext import runs

        if where.local:
            await asyncio.to_thread(
                check_free_space, (self._stack.settings.state_dir, self._stack.settings.runtime_dir)
            )
        run = await runs.start_run(where.prefect, request)
        self._wake_watcher()
        return run

    async def list_runs(self, query: RunQuery) -> RunList:
        """List runs, newest first."""
        where = await self._stack.endpoints()
        from satflow_ext import runs

        return RunList(runs=await runs.list_runs(where.prefect, query))

    async def read_detail(self, run_id: str) -> RunDetail:
        """Read the details of one run."""
        where = await self._stack.endpoints()
        from satflow_ext import runs

        return await runs.read_run_detail(where.prefect, run_id)

    async def cancel_run(self, run_id: str) -> Run:
        """Cancel a run."""
        where = await self._stack.endpoints()
        from satflow_ext import runs

        run = await runs.cancel_run(where.prefect, run_id)
        self._wake_watcher()
        return run

    async def stream_whole_log(self, run_id: str) -> AsyncIterator[str]:
        """Yield a run's whole log in pieces of text."""
        where = await self._stack.endpoints()
        from satflow_ext import runs

        async for piece in runs.stream_whole_log(where.prefect, run_id, self._stack.settings):
            yield piece

    async def watch_changes(self) -> AsyncGenerator[RunsFrame, None]:
        """Yield a hint at once, and then whenever the list of runs has changed."""
        watcher = (await self._start_observers()).watcher
        async with aclosing(watcher.watch_changes()) as changes:
            async for _ in changes:
                yield RunsFrame(type="runs.v1")

    async def follow_log(self, run_id: str, cursor: str | None) -> AsyncGenerator[LogsFrame | ErrorFrame, None]:
        """Yield a run's log after a cursor, until it ends. Errors are sent as frames and do not end it."""
        followers = (await self._start_observers()).followers
        async with followers.follow_run(run_id) as book, aclosing(book.read_batches(cursor)) as batches:
            reported_error: SatflowError | None = None
            async for batch in batches:
                if batch.trouble is not None and batch.trouble is not reported_error:
                    yield ErrorFrame(
                        type="error.v1", topic="logs", run_id=run_id, error=ErrorBody.from_error(batch.trouble)
                    )
                reported_error = batch.trouble
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
        if self._observers is not None:
            await self._observers.watcher.close()
            await self._observers.followers.close()

    async def _start_observers(self) -> RunObservers:
        await import_prefect_modules()
        if self._observers is None:
            from satflow_ext.runs.run_watcher import RunWatcher
            from satflow_ext.runs.shared_followers import SharedFollowers

            self._observers = RunObservers(
                SharedFollowers(self._locate_api, self._stack.settings), RunWatcher(self._locate_api)
            )
        return self._observers

    async def _locate_api(self) -> PrefectApi:
        return (await self._stack.endpoints()).prefect

    def _wake_watcher(self) -> None:
        if self._observers is not None:
            self._observers.watcher.wake()
