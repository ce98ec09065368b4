"""The uploader of log lines, a thread of the supervisor: it continues when runs or the Prefect server are killed."""

from __future__ import annotations

import threading

from satflow_ext.run_logs.local_api import LocalLogApi
from satflow_ext.run_logs.spool import spool_folder
from satflow_ext.run_logs.upload import LogUploader
from satflow_ext.settings import Settings
from satflow_ext.stack.prefect_calls import Credential


class LogUploadThread:
    """A thread that uploads the log lines of runs on this machine, including lines that earlier runs left in the spool.

    Args:
        settings: settings of the stack, with the folder of the spool.
        credential: credential of the Prefect server.
    """

    def __init__(self, settings: Settings, credential: Credential) -> None:
        self._stop = threading.Event()
        uploader = LogUploader(spool_folder(settings), LocalLogApi(credential.url, credential.auth))
        self._thread = threading.Thread(target=uploader.run, args=(self._stop,), name="log-upload", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop after the current request. The next stack uploads the remaining lines."""
        self._stop.set()
