"""What a flow run of the local stack logs goes to a file on this machine as well as to the Prefect API."""

from __future__ import annotations

import atexit
import contextlib
import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prefect.logging.handlers import APILogHandler

from satflow_ext import local_log
from satflow_ext.errors import StackFailed
from satflow_ext.lease.start import STACK_MARK
from satflow_ext.runtime.this_run import RUN_ID
from satflow_ext.settings import Settings

LOGGERS = ("prefect.flow_runs", "prefect.task_runs", "prefect.extra")
"""The loggers to which Prefect gives its handler that sends lines to the API."""


class LocalLogHandler(APILogHandler):
    """Prefect's handler, which also writes what it sends.

    Args:
        file: where to, as a descriptor that is this handler's from now on. When it takes no more, or enough was written, it is
            left alone: the Prefect API has the line anyway.
    """

    def __init__(self, file: int) -> None:
        super().__init__()
        self._left = local_log.LIMIT
        self._file: int | None = file

    def prepare(self, record: logging.LogRecord) -> dict[str, Any]:
        """The line as the API takes it, written."""
        line = super().prepare(record)
        if self._file is not None:
            self._write(self._file, line)
        return line

    def _write(self, file: int, line: Mapping[str, Any]) -> None:
        written = json.dumps(line).encode() + b"\n"
        self._left -= len(written)
        try:
            if self._left >= 0:
                os.write(file, written)
        except OSError:
            self._left = 0
        if self._left <= 0:
            os.close(file)
            self._file = None


def attach(here: Settings) -> None:
    """Let this flow run's process write its lines, where the local stack started it and there is room for them."""
    run_id = os.environ.get(RUN_ID)
    if run_id is None or STACK_MARK not in os.environ:
        return
    file = local_log.path(here, run_id)
    with contextlib.suppress(StackFailed, OSError):
        _replace_stock(LocalLogHandler(_opened(file, here)))
        atexit.register(file.unlink, missing_ok=True)


def _opened(file: Path, here: Settings) -> int:
    local_log.make_folder(here)
    return os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def _replace_stock(handler: LocalLogHandler) -> None:
    for logger in map(logging.getLogger, LOGGERS):
        for stock in [each for each in logger.handlers if type(each) is APILogHandler]:
            handler.setLevel(stock.level)
            handler.setFormatter(stock.formatter)
            logger.removeHandler(stock)
            logger.addHandler(handler)
