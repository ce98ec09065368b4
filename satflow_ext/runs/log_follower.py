"""A follower of a run's log to its end, without lost or duplicate lines.

The source is the Prefect API's list of lines, which is read repeatedly with overlapping windows, because lines of other
processes arrive late with an earlier time. Hints trigger a read, and lines that were read twice are recognized by their
identity. The lines of runs on this machine are also read from spool files, before the API has them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from time import monotonic
from typing import Literal
from uuid import UUID

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from satflow_ext.endpoints import LOCAL_POOL, PrefectApi, is_on_loopback
from satflow_ext.errors import DiskFailed, RunNotFound, SatflowError
from satflow_ext.models import TERMINAL_STATES
from satflow_ext.prefect_api import PrefectClient, prefect_client
from satflow_ext.prefect_rows import FlowRunRow
from satflow_ext.run_logs.lines import RunLogLine
from satflow_ext.run_logs.reading import SpoolReader
from satflow_ext.run_logs.spool import spool_folder
from satflow_ext.runs.log_book import LogBatch, LogBook
from satflow_ext.runs.log_pages import convert_line, read_log_pages
from satflow_ext.runs.run_lookup import find_run, parse_run_id
from satflow_ext.runs.run_rows import read_state_type
from satflow_ext.settings import Settings
from satflow_ext.task_cancellation import cancel_task
from satflow_ext.tcp_peers import check_own_peer

ApiLocator = Callable[[], Awaitable[PrefectApi]]
"""A function that returns the Prefect API. It is called again after each failure: a restarted local stack has another port."""

READ_INTERVAL = 1.0
"""Seconds between two reads without a hint."""
READ_OVERLAP = timedelta(seconds=0.2)
"""The overlap of a normal read: enough for the lines of one process."""
SWEEP_OVERLAP = timedelta(seconds=5)
"""The overlap of a sweep, which finds the late lines of other processes (Prefect's loggers send every 2 s)."""
SWEEP_INTERVAL = 2.0
SWEEP_FACTOR = 10
"""The pause before a sweep, as a multiple of the duration of the previous one: a tenth of the load at most."""
MAX_READ_PAUSE = 5.0
"""Maximum seconds between two reads of a spooled run's log from the API."""
SETTLE_SECONDS = 1.5
"""Seconds without a new line, after a run's end, until its log counts as complete."""
SPOOLED_SETTLE_SECONDS = 0.8
"""The same for a run whose lines are in spool files, but not its Prefect worker's own lines, which come through the API."""
MAX_WRITE_SECONDS = 30.0
"""Seconds after the end of a run in which its processes may still write lines."""
QUIET_SECONDS = 5.0
"""Seconds without a new line after which an ended run gets no more lines from processes that do not close their files: the
process of a subflow's parent, or a Dask worker of other runs."""
SPOOL_INTERVAL = 0.1
"""Seconds between two reads of the spool files."""
LAG_FACTOR = 3.0
"""The wait after a run's end, as a multiple of the lag of the newest line: a busy API accepts lines long after the end."""
MAX_SETTLE_SECONDS = 60.0
"""Maximum seconds of that wait."""
COMPLETE_AFTER = timedelta(seconds=60)
"""Age of a run's end after which its log is complete."""
RETRY_PAUSE = 2.0
"""Seconds until the next attempt after a failure."""


async def follow_log(
    locate_api: ApiLocator, run_id: str, cursor: str | None = None, *, settings: Settings | None = None
) -> AsyncGenerator[LogBatch, None]:
    """Yield a run's log from its beginning to its end, as the lines arrive.

    Args:
        locate_api: returns the Prefect API.
        run_id: id of the flow run.
        cursor: cursor of a batch of the same follower.
        settings: this machine's settings, to follow runs of its local stack.

    Raises:
        RunNotFound: Prefect has no flow run with that id.
        SatflowError: the Prefect API could not be reached at the start.
    """
    follower = LogFollower(locate_api, run_id, settings)
    async with prefect_client(await locate_api()) as client:
        await follower.read_run(client)
    task = asyncio.create_task(follower.run())
    task.add_done_callback(lambda _done: follower.book.mark_ended())  # also after a failure: no reader waits forever
    try:
        async for batch in follower.book.read_batches(cursor):
            yield batch
    finally:
        await cancel_task(task)


class LogFollower:
    """A reader of one run's log, which fills a log book for any number of readers.

    Args:
        locate_api: returns the Prefect API.
        run_id: id of the flow run.
        settings: this machine's settings, to follow runs of its local stack.
    """

    def __init__(self, locate_api: ApiLocator, run_id: str, settings: Settings | None = None) -> None:
        self.book = LogBook()
        self._locate_api = locate_api
        self._run_id = parse_run_id(run_id)
        self._spool = SpoolReader(spool_folder(settings) / str(self._run_id)) if settings else None
        self._newest_time: datetime | None = None
        self._read_at: datetime | None = None
        self._spooled_at = 0.0  # time of the last line from a spool file
        self._lag = 0.0  # seconds by which the newest line was late: older than a read that did not return it
        self._hinted = asyncio.Event()
        self._files_completed = asyncio.Event()
        self._were_complete = False

    async def read_run(self, client: PrefectClient) -> FlowRunRow:
        """Read the run.

        Raises:
            RunNotFound: Prefect has no flow run with that id.
        """
        return await find_run(client, str(self._run_id))

    async def run(self) -> None:
        """Follow the log to its end. Wait for an unreachable Prefect API; end the log of a deleted run."""
        try:
            while True:
                if await self._follow_until_failure():
                    break
                await asyncio.sleep(RETRY_PAUSE)
        finally:
            if self._spool is not None:
                self._spool.close()
        self.book.mark_ended()

    async def _follow_until_failure(self) -> bool:
        """Follow the log until its end or a failure. Return whether it ended."""
        try:
            await self._follow_api(await self._locate_api())
        except RunNotFound as error:
            self.book.report_trouble(error)
        except SatflowError as error:
            self.book.report_trouble(error)
            return False
        return True

    async def _follow_api(self, api: PrefectApi) -> None:
        async with prefect_client(api) as client:
            await self._read_spool()  # before the API is read, because lines may be uploaded in the meantime
            if _ended_long_ago(await self.read_run(client)):
                await self._read_whole_spool()
                await self._read_since(client, None)
                return
            background = [
                asyncio.create_task(listen_for_hints(api, self._run_id, self._hinted.set)),
                asyncio.create_task(self._sweep_lines(client)),
                asyncio.create_task(self._follow_spool()),
            ]
            try:
                await self._wait_until_ended(client)
                await self._wait_until_written()
            finally:
                await _cancel_tasks(background)
            await self._read_whole_spool()
            await self._settle(client, api)

    @property
    def _is_spooled(self) -> bool:
        """True if all lines of the run, except perhaps the Prefect worker's, are in spool files of this machine."""
        return self._spool is not None and self._spool.has_files

    async def _wait_until_ended(self, client: PrefectClient) -> None:
        state_at = monotonic()
        while True:
            begun = monotonic()
            await self._read_newest(client)
            # Every line is a hint: a read for each would leave the API no time to accept lines.
            took = monotonic() - begun
            await self._pause(min(SWEEP_FACTOR * took, MAX_READ_PAUSE) if self._is_spooled else took)
            if monotonic() >= state_at or self._files_completed.is_set():
                self._files_completed.clear()
                if read_state_type(await self.read_run(client)) in TERMINAL_STATES:
                    return
                state_at = monotonic() + READ_INTERVAL
            await self._wait_for_hint(READ_INTERVAL)

    async def _pause(self, seconds: float) -> None:
        """Wait, but no longer than until the run has probably ended."""
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._files_completed.wait(), seconds)

    async def _sweep_lines(self, client: PrefectClient) -> None:
        """Repeatedly read further back, in addition to the normal reads. If it fails, a normal read fails too and reports it."""
        took, swept = 0.0, self._newest_time
        with suppress(SatflowError, httpx.HTTPError):
            while True:
                await asyncio.sleep(max(SWEEP_INTERVAL, SWEEP_FACTOR * took))
                begun, newest = monotonic(), self._newest_time
                await self._read_since(client, swept - SWEEP_OVERLAP if swept else None)
                took, swept = monotonic() - begun, newest

    async def _follow_spool(self) -> None:
        while self._spool is not None:
            try:
                count = await self._read_spool()
            except SatflowError as error:
                self.book.report_trouble(error)
                await asyncio.sleep(RETRY_PAUSE)
            else:
                await asyncio.sleep(0 if count else SPOOL_INTERVAL)

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
        reading = asyncio.ensure_future(asyncio.to_thread(self._spool.read_new_lines))
        try:
            await asyncio.shield(reading)
        except OSError as error:
            raise DiskFailed(f"The log files of this run cannot be read: {error}.") from None
        finally:
            await asyncio.wait([reading])  # also on cancellation, because these lines are not read again
            if not reading.exception():
                self._add_spooled(reading.result(), self._spool)
        return len(reading.result())

    def _add_spooled(self, lines: list[RunLogLine], spool: SpoolReader) -> None:
        self.book.add_lines(lines, read_once=True)
        if lines:
            self._spooled_at = monotonic()
        are_complete = spool.has_files and spool.is_finished
        if are_complete and not self._were_complete:  # the run has probably ended
            self._files_completed.set()
            self._hinted.set()
        self._were_complete = are_complete

    async def _wait_until_written(self) -> None:
        """Wait until the processes of an ended run no longer write lines."""
        begun = self._spooled_at = monotonic()
        while self._spool is not None and not self._spool.is_finished:
            if monotonic() > begun + MAX_WRITE_SECONDS or monotonic() > self._spooled_at + QUIET_SECONDS:
                return
            await asyncio.sleep(SPOOL_INTERVAL)

    async def _settle(self, client: PrefectClient, api: PrefectApi) -> None:
        """Read the lines of an ended run that are not in the spool files that were read."""
        if not self._is_spooled:
            await self._settle_log(client)
        elif api.local and self._were_complete and (await self.read_run(client)).work_pool_name == LOCAL_POOL:
            # The local stack's Prefect worker has a spool file as well, so that all files together are the whole log.
            await self._read_newest(client)
        else:
            await self._settle_spooled(client)

    async def _settle_log(self, client: PrefectClient) -> None:
        """Read the whole log, read until no new line has arrived for a while, and read the whole log once more."""
        await self._read_since(client, None)
        quiet_at = monotonic() + self._compute_settle_seconds()
        while (left := quiet_at - monotonic()) > 0:
            await self._wait_for_hint(min(left, READ_INTERVAL))
            newest = self._newest_time
            # Lines that were already in the book count as well: the API is still accepting lines.
            if await self._read_newest(client) or self._newest_time != newest:
                quiet_at = monotonic() + self._compute_settle_seconds()
        await self._read_since(client, None)

    async def _settle_spooled(self, client: PrefectClient) -> None:
        """Read the last lines of another Prefect worker. All others were in the spool, or in the API before the first read."""
        end = (await self.read_run(client)).end_time or self._newest_time
        since = end - SWEEP_OVERLAP if end else None
        quiet_at = monotonic() + SPOOLED_SETTLE_SECONDS
        while (left := quiet_at - monotonic()) > 0:
            await self._wait_for_hint(min(left, READ_INTERVAL))
            if await self._read_since(client, since):
                quiet_at = monotonic() + SPOOLED_SETTLE_SECONDS

    def _compute_settle_seconds(self) -> float:
        return min(max(SETTLE_SECONDS, LAG_FACTOR * self._lag), MAX_SETTLE_SECONDS)

    async def _read_newest(self, client: PrefectClient) -> int:
        return await self._read_since(client, self._newest_time - READ_OVERLAP if self._newest_time else None)

    async def _read_since(self, client: PrefectClient, since: datetime | None) -> int:
        """Add the new lines since that time, or (None) of the whole log. Return their number."""
        added = 0
        before, begun = self._newest_time, datetime.now(timezone.utc)
        async for page in read_log_pages(client, self._run_id, since):
            added += self.book.add_lines(map(convert_line, page))
            newest = page[-1].timestamp
            self._newest_time = max(self._newest_time, newest) if self._newest_time else newest
        if before and self._read_at and self._newest_time and self._newest_time > before:
            self._lag = (self._read_at - self._newest_time).total_seconds()
        self._read_at = begun
        self.book.report_trouble(None)
        return added

    async def _wait_for_hint(self, seconds: float) -> None:
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._hinted.wait(), seconds)
        self._hinted.clear()


def _ended_long_ago(flow_run: FlowRunRow) -> bool:
    end = flow_run.end_time
    return (
        read_state_type(flow_run) in TERMINAL_STATES
        and end is not None
        and datetime.now(timezone.utc) - end > COMPLETE_AFTER
    )


async def _cancel_tasks(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


RECONNECT_PAUSE = 5.0
"""Seconds until the next attempt to connect."""


async def listen_for_hints(api: PrefectApi, run_id: UUID, on_hint: Callable[[], None]) -> None:
    """Call `on_hint` for each line of the run that Prefect's log socket sends. Runs until cancelled.

    The socket drops lines for a slow reader (beyond 256), loses those that are sent during a disconnection, and is silent on a
    server with default settings. So its messages only trigger a read of the log.

    Args:
        api: the Prefect API; one without a log socket gives no hints.
        run_id: id of the flow run.
        on_hint: called in the event loop; must be quick.
    """
    while True:
        # Without hints the follower reads once a second: lines arrive later, and none are lost.
        with suppress(OSError, WebSocketException, TimeoutError, ValueError):
            await _listen_once(api, run_id, on_hint)
        await asyncio.sleep(RECONNECT_PAUSE)


async def _listen_once(api: PrefectApi, run_id: UUID, on_hint: Callable[[], None]) -> None:
    url = api.url.replace("http", "ws", 1).rstrip("/") + "/logs/out"
    proxy: Literal[True] | None = None if is_on_loopback(url) else True  # True: the proxy of the environment
    async with connect(url, subprotocols=[Subprotocol("prefect")], proxy=proxy) as socket:
        if api.local:
            check_own_peer(socket.transport.get_extra_info("socket"))
        await socket.send(json.dumps({"type": "auth", "token": api.auth_string or api.api_key}))
        if json.loads(await socket.recv()).get("type") != "auth_success":
            return
        await socket.send(json.dumps({"type": "filter", "filter": {"flow_run_id": {"any_": [str(run_id)]}}}))
        async for _ in socket:
            on_hint()
