"""Capture of log lines: Prefect's loggers write to the spool in every process that runs a flow or its tasks.

Prefect queues lines in the memory of the process: they are lost when it is killed, and sent twice when an answer is late.
SatFlow keeps Prefect's handlers and replaces only the queue, `APILogWorker`. The local stack uploads the lines of its runs, even
after the process has ended. Elsewhere a thread of the process uploads them, and the process waits at its end until all lines are
uploaded. A Dask worker may run tasks of several Prefect servers: the settings of the task that logs a line determine its
destination.
"""

from __future__ import annotations

import atexit
import contextlib
import contextvars
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from satflow_ext.errors import SettingsWrong, StackFailed
from satflow_ext.lease.start import STACK_API
from satflow_ext.run_logs.spool import SpoolWriter, spool_folder
from satflow_ext.settings import load_settings

if TYPE_CHECKING:
    from prefect.settings import Settings as PrefectSettings

    from satflow_ext.run_logs.upload import LogUploader

UPLOAD_TIMEOUT = 60.0
"""Seconds without progress after which a process that ends stops waiting for its upload."""
UPLOAD_CHECK_PAUSE = 0.02
"""Seconds between two checks of whether everything is uploaded."""

_captured_logs: CapturedLogs | None = None


def capture_logs() -> None:
    """Replace Prefect's log queue in this process, once; keep Prefect's queue if no spool can be created."""
    global _captured_logs
    from prefect.logging.handlers import APILogWorker

    with contextlib.suppress(StackFailed, SettingsWrong, OSError):
        captured = _captured_logs or CapturedLogs()
        captured.instance()  # before the process forks: its children write to the same folder
        APILogWorker.instance = captured.instance  # type: ignore[method-assign,assignment]
        APILogWorker.drain_all = captured.drain_all  # type: ignore[method-assign,assignment]
        _captured_logs = captured


def is_local_stack() -> bool:
    """Return whether the Prefect API of the current settings is that of the local stack on this machine."""
    from prefect.settings import get_current_settings

    return _is_local_stack(get_current_settings().api.url)


def close_files() -> None:
    """Close the files of flow runs whose flows and tasks have ended in this process."""
    if _captured_logs is not None:
        _captured_logs.close_files()


def close_run_files(run_id: str) -> None:
    """Close the files of one flow run in this process, which may still log for others."""
    if _captured_logs is not None:
        _captured_logs.close_files(run_id)


class _Destination(NamedTuple):
    """A Prefect API and the credentials for it."""

    url: str | None
    auth: str | None
    key: str | None


class CapturedLogs:
    """Replacement for `APILogWorker`."""

    def __init__(self) -> None:
        self._queues: dict[_Destination, LogQueue] = {}
        self._latest_queue: tuple[PrefectSettings, LogQueue] | None = None
        self._queues_lock = threading.Lock()
        os.register_at_fork(after_in_child=self._reset_in_child)

    def instance(self, *_options: object) -> LogQueue:
        """Return the queue for the Prefect API of the flow or task that logs.

        Raises:
            StackFailed: the spool folder cannot be created, or belongs to another user.
            SettingsWrong: the settings file cannot be read.
            OSError: no temporary folder can be created.
        """
        from prefect.settings import get_current_settings

        current = get_current_settings()
        latest = self._latest_queue
        if latest is not None and latest[0] is current:
            return latest[1]
        destination = _read_destination(current)
        with self._queues_lock:
            if destination not in self._queues:
                self._queues[destination] = _create_queue(destination)
        self._latest_queue = current, self._queues[destination]
        return self._queues[destination]

    def drain_all(self, timeout: float | None = None, **_options: object) -> None:
        """Wait until all lines are in files, or uploaded if this process uploads them.

        Args:
            timeout: maximum seconds to wait; None waits as long as there is progress.
        """
        for queue in list(self._queues.values()):
            queue.drain(timeout)

    def close_files(self, run_id: str | None = None) -> None:
        """Close the files of one flow run, or of all, so that readers do not wait for more lines."""
        for queue in list(self._queues.values()):
            queue.close_files(run_id)

    def _reset_in_child(self) -> None:
        self._queues_lock = threading.Lock()


def _read_destination(current: PrefectSettings) -> _Destination:
    auth, key = current.api.auth_string, current.api.key
    return _Destination(
        current.api.url, auth.get_secret_value() if auth else None, key.get_secret_value() if key else None
    )


def _is_local_stack(url: str | None) -> bool:
    return url is not None and url == os.environ.get(STACK_API)


def _create_queue(destination: _Destination) -> LogQueue:
    if _is_local_stack(destination.url):
        return LocalLogQueue(SpoolWriter(spool_folder(load_settings())))
    return UploadingLogQueue()


class LocalLogQueue:
    """A log queue whose lines the local stack uploads.

    Args:
        writer: writer of the spool files.
    """

    def __init__(self, writer: SpoolWriter) -> None:
        self._writer = writer

    def send(self, line: Mapping[str, Any]) -> None:
        """Write a line, in the format of the Prefect API."""
        self._writer.write_line(line)

    def drain(self, timeout: float | None) -> None:
        """Return immediately: each line is in its file already."""

    def close_files(self, run_id: str | None) -> None:
        """Close the files of one flow run, or of all; a later line starts a new file."""
        _close_files(self._writer, run_id)


class UploadingLogQueue:
    """A log queue whose lines a thread of this process uploads, with the Prefect settings of the creating context."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix=f"satflow-run-{os.getpid()}-"))
        self._owner_pid = os.getpid()
        self._writer = SpoolWriter(self._folder)
        self._stop = threading.Event()
        self._uploader = self._start_uploader()
        atexit.register(self._finish_upload)

    def send(self, line: Mapping[str, Any]) -> None:
        """Write a line to be uploaded, in the format of the Prefect API."""
        self._writer.write_line(line)

    def drain(self, timeout: float | None) -> None:
        """Wait until everything is uploaded; in a forked child return immediately, because the parent uploads.

        Args:
            timeout: maximum seconds to wait; None waits as long as there is progress.
        """
        since, left = time.monotonic(), None
        while os.getpid() == self._owner_pid and not self._uploader.is_up_to_date():
            now = self._uploader.uploaded_lines
            if now != left and timeout is None:
                since, left = time.monotonic(), now
            if time.monotonic() - since > (UPLOAD_TIMEOUT if timeout is None else timeout):
                return
            time.sleep(UPLOAD_CHECK_PAUSE)

    def close_files(self, run_id: str | None) -> None:
        """Close the files so that they are removed after their upload; a later line starts a new file."""
        _close_files(self._writer, run_id)

    def _start_uploader(self) -> LogUploader:
        from satflow_ext.run_logs.log_api import PrefectLogApi
        from satflow_ext.run_logs.upload import LogUploader

        uploader = LogUploader(self._folder, PrefectLogApi())
        context = contextvars.copy_context()
        threading.Thread(
            target=context.run, args=(uploader.run, self._stop), name="satflow-log-upload", daemon=True
        ).start()
        return uploader

    def _finish_upload(self) -> None:
        if os.getpid() != self._owner_pid:  # a forked child
            return
        self._writer.close()
        self.drain(None)
        self._stop.set()
        if not self._uploader.is_up_to_date():
            sys.stderr.write("SatFlow: the last log lines of this run could not be uploaded to the Prefect API.\n")
        shutil.rmtree(self._folder, ignore_errors=True)


def _close_files(writer: SpoolWriter, run_id: str | None) -> None:
    if run_id is None:
        writer.close()
    else:
        writer.close_run(run_id)


LogQueue: TypeAlias = LocalLogQueue | UploadingLogQueue
