"""The template processes of a Prefect worker: children that end with the worker, and are restarted when they have ended.

One that does not start several times in succession is set aside for some minutes, in which flow runs are new interpreters.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path

from satflow_ext.errors import SettingsWrong
from satflow_ext.executors.dask_processes import recent_variables
from satflow_ext.fork_requests.child_process import DASK_SOCKET, RUN_SOCKET
from satflow_ext.fork_requests.preloaded_packages import packages_folder
from satflow_ext.fork_requests.trial_load import SET_ASIDE_SUFFIX, TEMPLATES_LINK
from satflow_ext.run_template.template import MODULE
from satflow_ext.settings import load_settings

MAX_FAILED_STARTS = 3
"""Failed starts in succession after which a template is set aside."""
SET_ASIDE_PAUSE = 600.0
"""Seconds for which a template is set aside."""

log = logging.getLogger(__name__)


class Templates:
    """The template for flow runs and, if they use Dask on this machine, the one for their Dask workers. Thread-safe."""

    def __init__(self) -> None:
        # Not in the runtime folder: the path of a unix socket may have about 100 bytes.
        self._folder = Path(tempfile.mkdtemp(prefix="satflow-template-"))
        self._lock = threading.Lock()
        self._closed = False
        self._options = _packages_options()
        self._for_runs = TemplateProcess(self._folder / RUN_SOCKET, self._options)
        self._for_dask: TemplateProcess | None = None

    @property
    def run_socket(self) -> Path:
        """Path of the socket of the template for flow runs. It exists once the template's imports are done."""
        return self._folder / RUN_SOCKET

    def take_socket(self) -> Path:
        """Make sure that the template for flow runs runs, and return its socket."""
        self._for_runs.restart_if_ended()
        return self.run_socket

    def start_for_dask(self) -> None:
        """Make sure that the template for Dask workers runs, if flow runs of this machine have started some recently."""
        with self._lock, suppress(OSError):  # without it, Dask workers start more slowly
            if self._closed:
                return
            if self._for_dask is not None:
                self._for_dask.restart_if_ended()
            elif (variables := _read_variables()) is not None:
                self._for_dask = TemplateProcess(self._folder / DASK_SOCKET, ["--dask", *self._options], variables)

    def publish(self) -> None:
        """Link the folder of the sockets into the runtime folder of the local stack, for trial loads of flows."""
        with suppress(OSError, SettingsWrong):  # flows are not loaded on trial then
            link = load_settings().runtime_dir / TEMPLATES_LINK
            link.unlink(missing_ok=True)
            link.symlink_to(self._folder)

    def close(self) -> None:
        """End the templates. Their forks go on."""
        with self._lock:
            self._closed = True
            self._for_runs.close()
            if self._for_dask is not None:
                self._for_dask.close()


class SpareInterpreters:
    """Interpreters that have done the imports of flow runs. One waits at a time, and each becomes one flow run."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="satflow-template-"))
        self._options = ["--spare", *_packages_options()]
        self._numbers = count()
        self._used: list[TemplateProcess] = []
        self._waiting = self._start_next()

    def take_socket(self) -> Path:
        """Return the socket of the spare interpreter for one run, and start the next one. It is missing if none waits yet."""
        self._used = [each for each in self._used if each.is_running()]
        self._waiting.restart_if_ended()
        taken = self._waiting
        if taken.socket.exists():
            self._used.append(taken)
            self._waiting = self._start_next()
        return taken.socket

    def close(self) -> None:
        """End the spare interpreter. Flow runs go on."""
        self._waiting.close()

    def _start_next(self) -> TemplateProcess:
        return TemplateProcess(self._folder / f"{RUN_SOCKET}-{next(self._numbers)}", self._options)


def _packages_options() -> list[str]:
    try:
        return ["--packages", str(packages_folder(load_settings().state_dir))]
    except SettingsWrong:  # reported by each flow run
        return []


def _read_variables() -> dict[str, str] | None:
    try:
        return recent_variables(load_settings())
    except SettingsWrong:  # reported by each flow run
        return None


class TemplateProcess:
    """A running template process. It inherits this process's output.

    It ends with this process, because its standard input is a pipe from this process, and removes its socket, and the folder if
    the socket was the last one in it.

    Args:
        socket: path of its socket, in a folder that only this user can enter. It exists once the imports are done.
        options: command-line options.
        variables: environment variables to add.
        pause: seconds for which it is set aside after several failed starts.
    """

    def __init__(
        self,
        socket: Path,
        options: Sequence[str] = (),
        variables: Mapping[str, str] | None = None,
        *,
        pause: float = SET_ASIDE_PAUSE,
    ) -> None:
        self.socket = socket
        self._options = options
        self._variables = variables or {}
        self._pause = pause
        self._failed_starts = 0  # in succession
        self._retry_at: float | None = None  # of the monotonic clock, while it is set aside
        self._set_aside_file = socket.with_suffix(SET_ASIDE_SUFFIX)
        self._process = self._start()

    def is_running(self) -> bool:
        """Return whether the process has not ended."""
        return self._process.poll() is None

    def restart_if_ended(self) -> None:
        """Make sure that the template runs, unless it is set aside."""
        status = self._process.poll()
        if status is None:
            return
        if self._retry_at is None and self._has_failed_too_often():
            self._set_aside(status)
        elif self._retry_at is None or time.monotonic() >= self._retry_at:
            self._restart()

    def _has_failed_too_often(self) -> bool:
        """Count the start of the process that has ended. It has failed if there is no socket."""
        self._failed_starts = 0 if self.socket.exists() else self._failed_starts + 1
        return self._failed_starts >= MAX_FAILED_STARTS

    def _set_aside(self, status: int) -> None:
        """Wait with the next start, with a line in the worker's log and a file for `satflow status`."""
        self._retry_at = time.monotonic() + self._pause
        ending = f"ended with exit status {status} {self._failed_starts} times before it had imported everything"
        with suppress(OSError):
            self._set_aside_file.parent.mkdir(mode=0o700, exist_ok=True)
            self._set_aside_file.write_text(ending)
        log.warning(
            "The template process %s: for %.0f minutes, processes start as new interpreters. Its own messages are above.",
            ending,
            self._pause / 60,
        )

    def _restart(self) -> None:
        self._retry_at = None
        self._remove_socket()
        self.socket.parent.mkdir(mode=0o700, exist_ok=True)
        self._process = self._start()

    def close(self) -> None:
        """End the template. Its forks go on."""
        self._process.terminate()
        self._process.communicate()
        self._remove_socket()

    def _remove_socket(self) -> None:
        with suppress(OSError):
            self.socket.unlink(missing_ok=True)
            self._set_aside_file.unlink(missing_ok=True)
            self.socket.parent.rmdir()

    def _start(self) -> subprocess.Popen[bytes]:
        """Start the template, without settings of Prefect: each flow run brings its own.

        Only Prefect's folder must be the same. The import of Prefect creates it.
        """
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("PREFECT_") or name == "PREFECT_HOME"
        }
        return subprocess.Popen(
            [sys.executable, "-m", MODULE, "--socket", str(self.socket), *self._options],
            cwd="/",  # a module in the worker's folder must not be imported
            env={**inherited, **self._variables},
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
