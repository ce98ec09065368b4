"""A process of the stack: it runs in its own session, logs to a file, and is stopped by SIGTERM, then SIGKILL."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from satflow_ext.stack.stack_processes import LISTENER_MARK

LOG_TAIL_SIZE = 2000


@dataclass(frozen=True)
class ProcessPlan:
    """Start parameters of a service's process.

    Args:
        name: name in `satflow status` and of the log file.
        module: module to run, followed by its arguments.
        environment: complete environment of the process.
        log: file for standard output and standard error; emptied at each start of the stack.
        preload: modules that the process imports first, and functions that import others, as `MODULE:FUNCTION`.
        waits: whether the service begins only after `ServiceProcess.begin_work`, and imports the modules until then.
        inherited_sockets: descriptors of listening sockets that the process inherits. The supervisor holds them as well, so that
            no other user can listen at their ports while the process restarts.
        ends_with_supervisor: whether a thread of SatFlow in the process ends it with the supervisor; other programs watch for
            the end of their standard input themselves.
    """

    name: str
    module: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    preload: Sequence[str] = ()
    waits: bool = False
    inherited_sockets: Sequence[int] = ()
    ends_with_supervisor: bool = True


class ServiceProcess:
    """The running process of a service.

    Args:
        process: the process, whose standard input is the pipe that it watches.
        log: its log file.
    """

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._log = log

    @classmethod
    async def start(cls, plan: ProcessPlan) -> ServiceProcess:
        """Start the process. Its output is appended to the log."""
        preload = ["--wait" if plan.waits else "--preload", ",".join(plan.preload)] if plan.preload else []
        watch = ["satflow_ext.stack.service_main", *preload] if plan.ends_with_supervisor else []
        log = os.open(plan.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", *watch, *plan.module),
                cwd="/",  # the user's folder may contain a `random.py` or a `prefect.toml`
                env={**plan.environment, **({LISTENER_MARK: "1"} if plan.inherited_sockets else {})},
                stdin=asyncio.subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=tuple(plan.inherited_sockets),
            )
        finally:
            os.close(log)
        return cls(process, plan.log)

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """True while the process runs."""
        return self._process.returncode is None

    def begin_work(self) -> None:
        """Start a service that has only preloaded its modules so far."""
        if self._process.stdin is not None:
            self._process.stdin.write(b"g")

    async def wait_ended(self) -> int:
        """Wait for the end of the process and return its exit code."""
        return await self._process.wait()

    async def stop(self, grace: float) -> None:
        """Terminate the process, and kill it if it has not exited within `grace` seconds."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await asyncio.wait_for(self.wait_ended(), grace)
        except asyncio.TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self.wait_ended()

    def read_log_tail(self) -> str:
        """Return the last characters of the log."""
        with contextlib.suppress(OSError):
            return self._log.read_text(errors="replace")[-LOG_TAIL_SIZE:]
        return ""
