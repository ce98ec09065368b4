"""The keeper of one service: it starts the service, waits until it is ready, and restarts it when it dies."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import signal
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from satflow_ext.errors import StackFailed
from satflow_ext.lease.messages import ServiceReport
from satflow_ext.stack.process import ProcessPlan, ServiceProcess
from satflow_ext.stack.start_progress import StartProgress, format_duration

MAX_RESTARTS = 5
"""Maximum number of restarts in a row; after that the service stays stopped, and `satflow status` shows it as failed."""

HEALTHY_UPTIME = 120.0
"""Uptime in seconds that resets the count of restarts: a broken service dies sooner, and a stack may run for weeks."""

MIN_CHECK_PAUSE = 0.1
MAX_CHECK_PAUSE = 0.25
"""Minimum and maximum seconds between two checks of a starting service; short at first, so that a fast start is not delayed."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServiceDefinition:
    """Definition of a service.

    Args:
        plan: start parameters of its process.
        url: its address, without credentials.
        is_ready: return whether the service works now.
        before_start: steps that must complete before a preloaded service may begin.
        listener: listening socket that the service inherits, if any.
        start_timeout: maximum seconds to get ready after `before_start`, for a service whose CPU time and log lines do not
            show progress.
    """

    plan: ProcessPlan
    url: str | None
    is_ready: Callable[[], Awaitable[bool]]
    before_start: Callable[[], Awaitable[None]] | None = None
    listener: socket.socket | None = None
    start_timeout: float = math.inf


class ServiceKeeper:
    """A service that is restarted when it dies. `start` returns when the service is ready."""

    def __init__(self, definition: ServiceDefinition) -> None:
        self._definition = definition
        self._process: ServiceProcess | None = None
        self._restart_task: asyncio.Task[None] | None = None
        self._restarts = 0
        self._last_end: str | None = None
        self._start_failure: str | None = None
        self._state: Literal["starting", "ready", "failed"] = "starting"
        self._refusing_server: asyncio.Server | None = None

    @property
    def pid(self) -> int | None:
        """Process id, None while no process runs."""
        return self._process.pid if self._process and self._process.is_alive else None

    async def start(self) -> None:
        """Start the service and wait until it is ready.

        Raises:
            StackFailed: the process ended, stopped making progress, or took too long.
        """
        self._definition.plan.log.unlink(missing_ok=True)
        try:
            await self._launch()
        except BaseException:  # also a cancellation: no report may show the service as starting
            self._state = "failed"
            raise
        self._restart_task = asyncio.create_task(self._restart_on_end())

    def stop_restarting(self) -> None:
        """Stop restarting the service, because the stack is about to end it."""
        if self._restart_task is not None:
            self._restart_task.cancel()
        if self._refusing_server is not None:
            self._refusing_server.close()

    async def stop(self, grace: float) -> None:
        """Stop the service; kill its process if it has not exited within `grace` seconds."""
        self.stop_restarting()
        if self._process is not None:
            await self._process.stop(grace)

    def build_report(self) -> ServiceReport:
        """Return the report for `satflow status`."""
        plan = self._definition.plan
        return ServiceReport(
            name=plan.name,
            state=self._state,
            pid=self.pid,
            url=self._definition.url,
            log=str(plan.log),
            restarts=self._restarts,
            last_end=self._last_end,
        )

    async def _launch(self) -> None:
        self._state = "starting"
        self._process = await ServiceProcess.start(self._definition.plan)
        await self._wait_until_ready(self._process)
        self._state = "ready"

    async def _wait_until_ready(self, process: ServiceProcess) -> None:
        if self._definition.before_start is not None:
            await self._definition.before_start()
            process.begin_work()
        progress, pause = StartProgress(process.pid, self._definition.plan.log), MIN_CHECK_PAUSE
        deadline = time.monotonic() + self._definition.start_timeout
        while not await self._definition.is_ready():
            if not process.is_alive:
                raise self._ended_error(await process.wait_ended())
            if progress.has_stalled():
                raise self._not_ready_error("it has made no progress for a minute")
            if time.monotonic() > deadline:
                raise self._not_ready_error(
                    f"it did not start within {format_duration(self._definition.start_timeout)}"
                )
            await asyncio.sleep(pause)
            pause = min(1.2 * pause, MAX_CHECK_PAUSE)

    async def _restart_on_end(self) -> None:
        """Restart the service whenever it ends, with growing delays. A failed start counts as an end."""
        while self._process is not None:
            begun = time.monotonic()
            code = await self._process.wait_ended()
            if time.monotonic() - begun > HEALTHY_UPTIME:
                self._restarts = 0
            self._last_end = self._start_failure or _describe_end(code)
            logger.warning("%s %s", self._definition.plan.name, self._last_end)
            if self._restarts >= MAX_RESTARTS:
                self._state = "failed"
                await self._refuse_connections()
                return
            await asyncio.sleep(min(0.2 * 2**self._restarts, 5.0))
            self._restarts += 1
            await self._relaunch(self._process)

    async def _relaunch(self, last: ServiceProcess) -> None:
        """Restart the service after its last process ended, and record the reason if that fails.

        Without a new process, `ended` of the last one returns immediately.
        """
        self._start_failure = None
        try:
            await self._launch()
        except Exception as error:  # such as EAGAIN from fork: if this task ended, clients would wait forever
            if isinstance(error, StackFailed):
                logger.warning("%s", error)
            else:
                logger.warning("%s could not be started", self._definition.plan.name, exc_info=True)
                self._start_failure = f"could not be started ({type(error).__name__}: {error})"
            if self._process is not None and self._process is not last:
                await self._process.stop(0.5)  # a live process that never got ready would block the next restart

    async def _refuse_connections(self) -> None:
        """Close each new connection to a service that stays stopped: its listening socket is open, so clients would wait."""
        while self._definition.listener is not None and self._refusing_server is None:
            try:
                self._refusing_server = await asyncio.start_server(
                    _close_connection, sock=self._definition.listener.dup()
                )
            except OSError as error:  # such as EMFILE
                logger.warning(
                    "connections to %s cannot be refused yet, retrying: %s", self._definition.plan.name, error
                )
                await asyncio.sleep(MAX_CHECK_PAUSE)

    def _ended_error(self, code: int) -> StackFailed:
        words = self._process.read_log_tail() if self._process else ""
        plan = self._definition.plan
        return StackFailed(f"{plan.name} ended with code {code}. Its log, {plan.log}, ends with:\n{words}")

    def _not_ready_error(self, reason: str) -> StackFailed:
        plan = self._definition.plan
        return StackFailed(f"{plan.name} is not ready: {reason}. Its log is {plan.log}.")


def _describe_end(code: int) -> str:
    """Describe the end of a process by its return code, which is negative for a signal."""
    if code >= 0:
        return f"ended with code {code}"
    with contextlib.suppress(ValueError):
        return f"was killed by {signal.Signals(-code).name}"
    return f"was killed by signal {-code}"


async def _close_connection(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()
