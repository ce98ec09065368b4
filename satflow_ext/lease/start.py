"""The start of the local stack's supervisor, once even if several processes request it at the same moment."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO

from satflow_ext import file_lock
from satflow_ext.errors import StackFailed
from satflow_ext.lease.address import make_private_folder
from satflow_ext.settings import Settings

MAX_ATTEMPTS = 5
"""Maximum number of supervisors in a row that may end before one answers."""

STACK_MARK = "SATFLOW_STACK"
"""Environment variable of every process of a stack; its value is the runtime folder."""

STACK_API = "SATFLOW_STACK_API"
"""Environment variable of processes that log for flow runs, with the URL of the Prefect API that the stack uploads lines to."""


class SupervisorStarter:
    """The right to start the supervisor: one of several processes gets it, and the others wait for the socket.

    Args:
        settings: settings of the stack.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock: IO[bytes] | None = None
        self._attempts = 0
        self._supervisor_pipe: int | None = None

    def __enter__(self) -> SupervisorStarter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lock is not None:
            self._lock.close()
        self._close_pipe()

    def start_supervisor(self, on_step: Callable[[str], None]) -> None:
        """Start the supervisor, unless another process is about to or this process just did.

        Call it after each failed attempt to connect. The first call that gets the right does not start anything yet, because
        the previous holder may have started the supervisor since that attempt.

        Raises:
            StackFailed: the supervisor ended each time before it answered.
        """
        if self._lock is None:
            self._lock = self._take_start_lock()
        elif self._supervisor_pipe is None or _has_no_reader(self._supervisor_pipe):
            if self._attempts >= MAX_ATTEMPTS:
                raise StackFailed(
                    "The local stack's supervisor ends at each start.", fix=f"See {log_path(self._settings)}."
                )
            on_step("Starting the local stack")
            self._close_pipe()
            self._supervisor_pipe = _spawn_supervisor(self._settings)
            self._attempts += 1

    def _close_pipe(self) -> None:
        if self._supervisor_pipe is not None:
            os.close(self._supervisor_pipe)
            self._supervisor_pipe = None

    def _take_start_lock(self) -> IO[bytes] | None:
        return file_lock.take_lock(make_private_folder(self._settings.runtime_dir) / "start.lock")


def log_path(settings: Settings) -> Path:
    """Return the supervisor's log file."""
    return settings.state_dir / "logs" / "stack.log"


def _has_no_reader(pipe: int) -> bool:
    """Return whether the process at the other end of a pipe has closed it or ended."""
    poll = select.poll()
    poll.register(pipe, 0)
    return bool(poll.poll(0))


def _spawn_supervisor(settings: Settings) -> int:
    """Start the supervisor detached, in its own session and without a parent that would have to reap it.

    Returns:
        One end of a pipe, to be closed once a lease is held. At the other end the supervisor notices the end of its starter.
    """
    make_private_folder(settings.state_dir)
    logs = make_private_folder(settings.state_dir / "logs")
    environment = {name: value for name, value in os.environ.items() if name != STACK_MARK}
    environment["SATFLOW_STATE_DIR"] = str(settings.state_dir.absolute())
    environment["SATFLOW_RUNTIME_DIR"] = str(settings.runtime_dir.absolute())
    environment["SATFLOW_CONTENT_LIMIT"] = str(settings.content_limit)
    supervisor_end, own_end = os.pipe()
    try:
        with open(os.open(logs / "stack.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as log:
            done = subprocess.run(
                [sys.executable, "-m", "satflow_ext.stack", "--detach", "--starter", str(supervisor_end)],
                check=False,
                cwd="/",  # the user's folder may contain a `random.py`
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=(supervisor_end,),
            )
    finally:
        os.close(supervisor_end)
    if done.returncode:
        os.close(own_end)
        raise StackFailed("The local stack cannot be started.", fix=f"See {logs / 'stack.log'}.")
    return own_end
