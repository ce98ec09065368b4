"""The uploader of log lines, in a thread of the supervisor: it goes on when runs and the Prefect server are killed."""

from __future__ import annotations

import threading

from satflow_ext.run_logs.local_api import LocalLogApi
from satflow_ext.run_logs.spool import spool_folder
from satflow_ext.run_logs.upload import LogUploader
from satflow_ext.settings import Settings
from satflow_ext.stack.prefect_calls import Credential


class LogUploadThread:
    """Uploads what runs of this machine log, and what earlier ones have left, until it is stopped.

    Args:
        settings: where the spool is.
        credential: of the Prefect server.
    """

    def __init__(self, settings: Settings, credential: Credential) -> None:
        self._stop = threading.Event()
        uploader = LogUploader(spool_folder(settings), LocalLogApi(credential.url, credential.auth))
        self._thread = threading.Thread(target=uploader.run, args=(self._stop,), name="log-upload", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Begin no further request. What is left is uploaded by the next stack."""
        self._stop.set()
