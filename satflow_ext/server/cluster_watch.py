"""The cluster watcher process for clusters between runs: started for its first listener, updated, and stopped."""

from __future__ import annotations

import asyncio
import logging
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from satflow_ext.clusters.single_update import COMMAND
from satflow_ext.errors import SatflowError
from satflow_ext.own_module import build_module_environment
from satflow_ext.server.stack import StackManager

REFRESH_SECONDS = 5.0
"""Seconds between two reads of the list of deployments."""
IDLE_REFRESHES = 3
"""Number of such reads without a listener before the process ends: enough for the reload of a page."""
STOP_SECONDS = 5.0
"""Seconds that the process has to end."""

log = logging.getLogger(__name__)


class ClusterWatcherProcess:
    """Keeps the process running while it has listeners and clusters to watch.

    Args:
        stack: provides the addresses of Prefect and the store.
        refresh: seconds between two reads of the list of deployments.
    """

    def __init__(self, stack: StackManager, refresh: float = REFRESH_SECONDS) -> None:
        self._stack = stack
        self._refresh = refresh
        self._listeners = 0
        self._task: asyncio.Task[None] | None = None
        self._process: Process | None = None

    @contextmanager
    def listen(self) -> Iterator[None]:
        """Watch persistent clusters at least until the end of the block."""
        self._listeners += 1
        if not self.is_running:
            self._task = asyncio.create_task(self._run_process())
        try:
            yield
        finally:
            self._listeners -= 1

    @property
    def is_running(self) -> bool:
        """True while persistent clusters are watched."""
        return self._task is not None and not self._task.done()

    async def close(self) -> None:
        """Stop the process."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run_process(self) -> None:
        try:
            while self._listeners:  # a listener may have arrived while the process was ending
                await self._refresh_until_idle()
                await self._stop_process()
        except Exception:  # the boundary of this task: no other task awaits it
            log.exception("Watching clusters between runs failed; their status is no longer updated.")
        finally:
            await self._stop_process()

    async def _refresh_until_idle(self) -> None:
        silent = 0
        while silent < IDLE_REFRESHES:
            await self._send_clusters()
            await asyncio.sleep(self._refresh)
            silent = 0 if self._listeners else silent + 1

    async def _send_clusters(self) -> None:
        line = await self._read_clusters()
        if line is None or (line == b"[]" and self._process is None):
            return
        if self._process is None or self._process.returncode is not None:
            # A separate session, because Ctrl-C in the server's terminal is for the server.
            self._process = await asyncio.create_subprocess_exec(
                *COMMAND, stdin=PIPE, stdout=DEVNULL, env=build_module_environment(), start_new_session=True
            )
        assert self._process.stdin is not None
        with suppress(ConnectionError):  # the process has died, and is restarted the next time
            self._process.stdin.write(line + b"\n")
            await self._process.stdin.drain()

    async def _read_clusters(self) -> bytes | None:
        """Return the clusters to watch in the input format of the process, None if they cannot be determined now."""
        try:
            if (await self._stack.status()).state != "ready":  # watching clusters does not start the local stack
                return None
            where = await self._stack.endpoints()
            from satflow_ext.clusters import persistent_clusters
            from satflow_ext.deployments import queries

            return persistent_clusters.to_json_line(
                persistent_clusters.list_persistent_clusters(await queries.list_deployments(where))
            )
        except SatflowError:
            return None

    async def _stop_process(self) -> None:
        process, self._process = self._process, None
        if process is None or process.stdin is None:
            return
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except asyncio.TimeoutError:
            process.kill()
            await process.wait()
