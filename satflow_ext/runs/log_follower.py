"""A follower of a run's log to its end, without lost or duplicate lines.

The source is the Prefect API's list of lines, which is read repeatedly with overlapping windows, because lines of other
processes arrive late with an earlier time. Hints trigger a read, and lines that were read twice are recognized by their
identity. The lines of runs on this machine are also read from spool files, before the API has them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from time import monotonic
from typing import TYPE_CHECKING

import httpx

from satflow_ext.endpoints import PrefectApi
from satflow_ext.errors import DiskFailed, RunNotFound, SatflowError
from satflow_ext.prefect_api import prefect_client
from satflow_ext.run_logs.lines import Line
from satflow_ext.run_logs.reading import SpoolReader
from satflow_ext.run_logs.spool import spool_folder
from satflow_ext.runs.log_book import Batch, LogBook
from satflow_ext.runs.log_hints import hint
from satflow_ext.runs.log_pages import line_of, log_pages
from satflow_ext.runs.run_lookup import find, identify
from satflow_ext.runs.run_rows import TERMINAL, state_type
from satflow_ext.settings import Settings

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import FlowRun

Where = Callable[[], Awaitable[PrefectApi]]
"""A function that returns the Prefect API. It is called again after each failure: a restarted local stack has another port."""

LOOK = 1.0
"""Seconds between two reads without a hint."""
QUICK = timedelta(seconds=0.2)
"""The overlap of a normal read: enough for the lines of one process."""
LATE = timedelta(seconds=5)
"""The overlap of a sweep, which finds the late lines of other processes (Prefect's loggers send every 2 s)."""
SWEEP_EVERY = 2.0
SWEEP_SHARE = 10
"""The pause before a sweep, as a multiple of the duration of the previous one: a tenth of the load at most."""
LONGEST_REST = 5.0
"""Maximum seconds between two reads of a spooled run's log from the API."""
SETTLE = 1.5
"""Seconds without a new line, after a run's end, until its log counts as complete."""
SPOOLED_SETTLE = 0.8
"""The same for a run whose lines are in spool files: only the Prefect worker's own lines come through the API."""
LINGER = 30.0
"""Seconds after the end of a run in which its processes may still write lines."""
STILL = 5.0
"""Seconds without a new line after which an ended run gets no more lines from processes that do not close their files: the
process of a subflow's parent, or a Dask worker of other runs."""
SPOOL_LOOK = 0.1
"""Seconds between two reads of the spool files."""
BUSY = 3.0
"""The wait after a run's end, as a multiple of the lag of the newest line: a busy API accepts lines long after the end."""
LONGEST = 60.0
"""Maximum seconds of that wait."""
OLD = timedelta(seconds=60)
"""Age of a run's end after which its log is complete."""
AGAIN = 2.0
"""Seconds until the next attempt after a failure."""


async def follow(
    where: Where, run_id: str, cursor: str | None = None, *, settings: Settings | None = None
) -> AsyncGenerator[Batch, None]:
    """Yield a run's log from its beginning to its end, as the lines arrive.

    Args:
        where: returns the Prefect API.
        run_id: id of the flow run.
        cursor: cursor of a batch of the same follower.
        settings: this machine's settings, to follow runs of its local stack.

    Raises:
        RunNotFound: Prefect has no flow run with that id.
        SatflowError: the Prefect API could not be reached at the start.
    """
    follower = Follower(where, run_id, settings)
    async with prefect_client(await where()) as client:
        await follower.find(client)
    task = asyncio.create_task(follower.run())
    task.add_done_callback(lambda _done: follower.book.end())  # also after a failure: no reader waits forever
    try:
        async for batch in follower.book.batches(cursor):
            yield batch
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


class Follower:
    """A reader of one run's log, which fills a log book for any number of readers.

    Args:
        where: returns the Prefect API.
        run_id: id of the flow run.
        settings: this machine's settings, to follow runs of its local stack.
    """

    def __init__(self, where: Where, run_id: str, settings: Settings | None = None) -> None:
        self.book = LogBook()
        self._where = where
        self._run_id = identify(run_id)
        self._spool = SpoolReader(spool_folder(settings) / str(self._run_id)) if settings else None
        self._newest: datetime | None = None
        self._looked: datetime | None = None
        self._spooled_at = 0.0  # time of the last line from a spool file
        self._lag = 0.0  # seconds by which the newest line was late: older than a read that did not return it
        self._hinted = asyncio.Event()

    async def find(self, client: PrefectClient) -> FlowRun:
        """Read the run.

        Raises:
            RunNotFound: Prefect has no flow run with that id.
        """
        return await find(client, str(self._run_id))

    async def run(self) -> None:
        """Follow the log to its end. Wait for an unreachable Prefect API; end the log of a deleted run."""
        try:
            while True:
                if await self._is_followed():
                    break
                await asyncio.sleep(AGAIN)
        finally:
            if self._spool is not None:
                self._spool.close()
        self.book.end()

    async def _is_followed(self) -> bool:
        """Follow the log until its end or a failure. Return whether it ended."""
        try:
            await self._follow(await self._where())
        except RunNotFound as error:
            self.book.report(error)
        except SatflowError as error:
            self.book.report(error)
            return False
        return True

    async def _follow(self, api: PrefectApi) -> None:
        async with prefect_client(api) as client:
            await self._read_spool()  # before the API is read, because lines may be uploaded in the meantime
            if _ended_long_ago(await self.find(client)):
                await self._read_whole_spool()
                await self._read(client, None)
                return
            background = [
                asyncio.create_task(hint(api, self._run_id, self._hinted.set)),
                asyncio.create_task(self._sweep(client)),
                asyncio.create_task(self._follow_spool()),
            ]
            try:
                await self._until_ended(client)
                await self._until_written()
            finally:
                await _cancel(background)
            await self._read_whole_spool()
            await (self._settle_spooled(client) if self._spooled else self._settle(client))

    @property
    def _spooled(self) -> bool:
        """True if all lines of the run except the Prefect worker's are in spool files of this machine."""
        return self._spool is not None and self._spool.seen

    async def _until_ended(self, client: PrefectClient) -> None:
        state_at = monotonic()
        while True:
            begun = monotonic()
            await self._look(client)
            # Every line is a hint: a read for each would leave the API no time to accept lines.
            took = monotonic() - begun
            await asyncio.sleep(min(SWEEP_SHARE * took, LONGEST_REST) if self._spooled else took)
            if monotonic() >= state_at:
                if state_type(await self.find(client)) in TERMINAL:
                    return
                state_at = monotonic() + LOOK
            await self._wait(LOOK)

    async def _sweep(self, client: PrefectClient) -> None:
        """Repeatedly read further back, in addition to the normal reads. If it fails, a normal read fails too and reports it."""
        took, swept = 0.0, self._newest
        with suppress(SatflowError, httpx.HTTPError):
            while True:
                await asyncio.sleep(max(SWEEP_EVERY, SWEEP_SHARE * took))
                begun, newest = monotonic(), self._newest
                await self._read(client, swept - LATE if swept else None)
                took, swept = monotonic() - begun, newest

    async def _follow_spool(self) -> None:
        while self._spool is not None:
            try:
                count = await self._read_spool()
            except SatflowError as error:
                self.book.report(error)
                await asyncio.sleep(AGAIN)
            else:
                await asyncio.sleep(0 if count else SPOOL_LOOK)

    async def _read_whole_spool(self) -> None:
        """Add all lines of the spool files."""
        while await self._read_spool():
            pass

    async def _read_spool(self) -> int:
        """Add the new lines of the spool files. Return the number of lines read.

        Raises:
            DiskFailed: a file cannot be read.
        """
        if self._spool is None:
            return 0
        reading = asyncio.ensure_future(asyncio.to_thread(self._spool.read_new))
        try:
            await asyncio.shield(reading)
        except OSError as error:
            raise DiskFailed(f"The log files of this run cannot be read: {error}.") from None
        finally:
            await asyncio.wait([reading])  # also on cancellation, because these lines are not read again
            if not reading.exception():
                self._add_spooled(reading.result())
        return len(reading.result())

    def _add_spooled(self, lines: list[Line]) -> None:
        self.book.add(lines, read_once=True)
        if lines:
            self._spooled_at = monotonic()
            if self._spool is not None and self._spool.finished:
                self._hinted.set()  # the run may have ended

    async def _until_written(self) -> None:
        """Wait until the processes of an ended run no longer write lines."""
        begun = self._spooled_at = monotonic()
        while self._spool is not None and not self._spool.finished:
            if monotonic() > begun + LINGER or monotonic() > self._spooled_at + STILL:
                return
            await asyncio.sleep(SPOOL_LOOK)

    async def _settle(self, client: PrefectClient) -> None:
        """Read the whole log, read until no new line has arrived for a while, and read the whole log once more."""
        await self._read(client, None)
        quiet_at = monotonic() + self._patience()
        while (left := quiet_at - monotonic()) > 0:
            await self._wait(min(left, LOOK))
            newest = self._newest
            # Lines that were already in the book count as well: the API is still accepting lines.
            if await self._look(client) or self._newest != newest:
                quiet_at = monotonic() + self._patience()
        await self._read(client, None)

    async def _settle_spooled(self, client: PrefectClient) -> None:
        """Read the Prefect worker's last lines. All others were in the spool, or in the API before the first read."""
        end = (await self.find(client)).end_time or self._newest
        since = end - LATE if end else None
        quiet_at = monotonic() + SPOOLED_SETTLE
        while (left := quiet_at - monotonic()) > 0:
            await self._wait(min(left, LOOK))
            if await self._read(client, since):
                quiet_at = monotonic() + SPOOLED_SETTLE

    def _patience(self) -> float:
        return min(max(SETTLE, BUSY * self._lag), LONGEST)

    async def _look(self, client: PrefectClient) -> int:
        return await self._read(client, self._newest - QUICK if self._newest else None)

    async def _read(self, client: PrefectClient, since: datetime | None) -> int:
        """Add the new lines since that time, or (None) of the whole log. Return their number."""
        added = 0
        before, begun = self._newest, datetime.now(timezone.utc)
        async for page in log_pages(client, self._run_id, since):
            added += self.book.add(map(line_of, page))
            newest = page[-1].timestamp
            self._newest = max(self._newest, newest) if self._newest else newest
        if before and self._looked and self._newest and self._newest > before:
            self._lag = (self._looked - self._newest).total_seconds()
        self._looked = begun
        self.book.report(None)
        return added

    async def _wait(self, seconds: float) -> None:
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._hinted.wait(), seconds)
        self._hinted.clear()


def _ended_long_ago(flow_run: FlowRun) -> bool:
    end = flow_run.end_time
    return state_type(flow_run) in TERMINAL and end is not None and datetime.now(timezone.utc) - end > OLD


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
