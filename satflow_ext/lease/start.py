"""Start the supervisor of the local stack, once however many want it at the same moment."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO

from satflow_ext import locked
from satflow_ext.errors import StackFailed
from satflow_ext.lease.address import private_folder
from satflow_ext.settings import Settings

ATTEMPTS = 5
"""So many supervisors in a row may end before one answers."""

STACK_MARK = "SATFLOW_STACK"
"""Environment variable of every process of a stack; its value is the runtime folder."""

STACK_API = "SATFLOW_STACK_API"
"""Environment variable of processes that log for flow runs: the URL of the Prefect API to which the stack uploads log lines."""


class Starter:
    """The right to start the supervisor; of several that want to, one gets it and the others wait for its socket.

    Args:
        settings: where the stack lives.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock: IO[bytes] | None = None
        self._attempts = 0
        self._alive: int | None = None

    def __enter__(self) -> Starter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lock is not None:
            self._lock.close()
        self._end_pipe()

    def start(self, tell: Callable[[str], None]) -> None:
        """Start it, unless another process is about to or this one just did.

        Call it after each attempt to connect that failed: the first call that wins the right only does that, because the
        one who had it may have started the supervisor since that attempt.

        Raises:
            StackFailed: it ended each time before it answered.
        """
        if self._lock is None:
            self._lock = self._win()
        elif self._alive is None or _has_no_reader(self._alive):
            if self._attempts >= ATTEMPTS:
                raise StackFailed("The local stack's supervisor ends at once.", fix=f"See {log_path(self._settings)}.")
            tell("Starting the local stack")
            self._end_pipe()
            self._alive = _spawn(self._settings)
            self._attempts += 1

    def _end_pipe(self) -> None:
        if self._alive is not None:
            os.close(self._alive)
            self._alive = None

    def _win(self) -> IO[bytes] | None:
        return locked.take(private_folder(self._settings.runtime_dir) / "start.lock")


def log_path(settings: Settings) -> Path:
    """Return the supervisor's own log file."""
    return settings.state_dir / "logs" / "stack.log"


def _has_no_reader(pipe: int) -> bool:
    """Return whether the process at the other end of a pipe has closed it, such as by its end."""
    poll = select.poll()
    poll.register(pipe, 0)
    return bool(poll.poll(0))


def _spawn(settings: Settings) -> int:
    """Start it detached: in its own session, and nobody's child, so that no kernel or server has to reap it.

    Returns:
        One end of a pipe, to be closed when a lease is held: by the other the supervisor knows that its starter was killed.
    """
    private_folder(settings.state_dir)
    logs = private_folder(settings.state_dir / "logs")
    environment = {name: value for name, value in os.environ.items() if name != STACK_MARK}
    environment["SATFLOW_STATE_DIR"] = str(settings.state_dir.absolute())
    environment["SATFLOW_RUNTIME_DIR"] = str(settings.runtime_dir.absolute())
    environment["SATFLOW_CONTENT_LIMIT"] = str(settings.content_limit)
    theirs, ours = os.pipe()
    try:
        with open(os.open(logs / "stack.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as log:
            done = subprocess.run(
                [sys.executable, "-m", "satflow_ext.stack", "--detach", "--starter", str(theirs)],
                check=False,
                cwd="/",  # a folder of the user's may hold a `random.py`
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=(theirs,),
            )
    finally:
        os.close(theirs)
    if done.returncode:
        os.close(ours)
        raise StackFailed("The local stack cannot be started.", fix=f"See {logs / 'stack.log'}.")
    return ours
