"""Sends what Prefect's loggers give to the Prefect API through the spool, in every process that runs a flow or its tasks.

Prefect queues lines in the memory of the process: they are lost when it is killed, and sent twice when an answer is late. Its
handlers stay as they are; the queue, `APILogWorker`, is replaced. On the local stack the stack uploads the lines, also after the
end of the process. Elsewhere a thread of the process does, and the process waits at its end until all lines are uploaded.
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
from typing import TYPE_CHECKING, Any

from satflow_ext import settings
from satflow_ext.errors import SettingsWrong, StackFailed
from satflow_ext.lease.start import STACK_MARK
from satflow_ext.run_logs.spool import SpoolWriter, spool_folder

if TYPE_CHECKING:
    from satflow_ext.run_logs.upload import LogUploader

PATIENCE = 60.0
"""Seconds without progress after which a process that ends waits no longer for its upload."""
LOOK = 0.02
"""Seconds between two looks whether everything is uploaded."""

_captured: SpooledLogs | UploadedLogs | None = None


def capture_logs() -> None:
    """Replace the queue of this process, once; where no spool can be made, Prefect's own stays."""
    global _captured
    if _captured is not None:
        return
    from prefect.logging.handlers import APILogWorker

    with contextlib.suppress(StackFailed, SettingsWrong, OSError):
        _captured = _spooled() if STACK_MARK in os.environ else UploadedLogs()
        APILogWorker.instance = _captured.instance  # type: ignore[method-assign,assignment]
        APILogWorker.drain_all = _captured.drain_all  # type: ignore[method-assign,assignment]


def _spooled() -> SpooledLogs:
    return SpooledLogs(SpoolWriter(spool_folder(settings.load())))


class SpooledLogs:
    """Takes the place of `APILogWorker` where the local stack uploads the spool.

    Args:
        writer: where the lines go.
    """

    def __init__(self, writer: SpoolWriter) -> None:
        self._writer = writer

    def instance(self, *_settings: object) -> SpooledLogs:
        """Return this."""
        return self

    def send(self, line: Mapping[str, Any]) -> None:
        """Write a line, in the form in which the API takes it."""
        self._writer.write(line)

    def drain_all(self, timeout: float | None = None, **_options: object) -> None:
        """Do nothing: each line is in its file already."""


class UploadedLogs:
    """Takes the place of `APILogWorker` where this process uploads its lines itself."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix=f"satflow-run-{os.getpid()}-"))
        self._owner = os.getpid()
        self._writer = SpoolWriter(self._folder)
        self._uploader: LogUploader | None = None
        self._stop = threading.Event()
        self._starting = threading.Lock()
        atexit.register(self._end)

    def instance(self, *_settings: object) -> UploadedLogs:
        """Return this."""
        return self

    def send(self, line: Mapping[str, Any]) -> None:
        """Write a line, in the form in which the API takes it, to be uploaded."""
        self._writer.write(line)
        if self._uploader is None:
            self._start()

    def drain_all(self, timeout: float | None = None, **_options: object) -> None:
        """Wait until everything is uploaded.

        Args:
            timeout: the most seconds; None waits as long as there is progress.
        """
        since, left = time.monotonic(), None
        while self._uploader is not None and not self._uploader.is_up_to_date():
            now = self._uploader.uploaded
            if now != left and timeout is None:
                since, left = time.monotonic(), now
            if time.monotonic() - since > (PATIENCE if timeout is None else timeout):
                return
            time.sleep(LOOK)

    def _start(self) -> None:
        """Start uploading with Prefect's settings of the task or flow that logs."""
        with self._starting:
            if self._uploader is not None:
                return
            from satflow_ext.run_logs.prefect_api import PrefectLogApi
            from satflow_ext.run_logs.upload import LogUploader

            self._uploader = LogUploader(self._folder, PrefectLogApi())
            context = contextvars.copy_context()
            threading.Thread(
                target=context.run, args=(self._uploader.run, self._stop), name="satflow-log-upload", daemon=True
            ).start()

    def _end(self) -> None:
        if os.getpid() != self._owner:  # a forked child
            return
        self._writer.close()
        self.drain_all()
        self._stop.set()
        if self._uploader is not None and not self._uploader.is_up_to_date():
            sys.stderr.write("SatFlow: the Prefect API did not take the last log lines of this run.\n")
        shutil.rmtree(self._folder, ignore_errors=True)
