"""One process of the stack: started in its own session, logged to a file, asked to end and then killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from satflow_ext.stack.stack_processes import LISTENER_MARK

TAIL = 2000


@dataclass(frozen=True)
class Plan:
    """How a service is started.

    Args:
        name: how `satflow status` and the log file call it.
        module: the module that is run, with its arguments after it.
        environment: all of it.
        log: the file for both outputs; emptied at each start of the stack.
        preload: modules to import ahead, before `ServiceProcess.go`.
        passed: descriptors of listening sockets that the process gets. The supervisor holds them as well, so that no other
            user can listen at their ports while the process is started again.
        watched: whether a thread of ours ends it with the supervisor; other programs look themselves for the end of their
            standard input.
    """

    name: str
    module: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    preload: Sequence[str] = ()
    passed: Sequence[int] = ()
    watched: bool = True


class ServiceProcess:
    """A running service.

    Args:
        process: it, with its standard input as the pipe whose end it waits for.
        log: where it writes.
    """

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._log = log

    @classmethod
    async def start(cls, plan: Plan) -> ServiceProcess:
        """Start it. Every call empties nothing: the log goes on."""
        waiting = ["--wait", ",".join(plan.preload)] if plan.preload else []
        watch = ["satflow_ext.stack.service_main", *waiting] if plan.watched else []
        log = os.open(plan.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", *watch, *plan.module),
                cwd="/",  # a folder of the user's may hold a `random.py` or a `prefect.toml`
                env={**plan.environment, **({LISTENER_MARK: "1"} if plan.passed else {})},
                stdin=asyncio.subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=tuple(plan.passed),
            )
        finally:
            os.close(log)
        return cls(process, plan.log)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.returncode is None

    def go(self) -> None:
        """Let a service that imported ahead begin."""
        if self._process.stdin is not None:
            self._process.stdin.write(b"g")

    async def ended(self) -> int:
        """Wait for its end; its return code."""
        return await self._process.wait()

    async def stop(self, grace: float) -> None:
        """Ask it to end, and kill it when it has not within `grace` seconds."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await asyncio.wait_for(self.ended(), grace)
        except asyncio.TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self.ended()

    def last_words(self) -> str:
        """The end of its log."""
        with contextlib.suppress(OSError):
            return self._log.read_text(errors="replace")[-TAIL:]
        return ""
