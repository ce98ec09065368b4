"""Add the Dask worker's name to log lines of tasks, in the logger's name, so that the message is unchanged."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from prefect.logging.handlers import APILogHandler, PrefectConsoleHandler

from satflow_ext.redaction.encodable import make_messages_encodable
from satflow_ext.run_logs.capture import capture_logs
from satflow_ext.run_logs.failed_inputs import record_failed_inputs

if TYPE_CHECKING:
    from distributed import Worker

LOGGERS = ("root", "prefect", "prefect.flow_runs", "prefect.task_runs", "prefect.extra")
"""The loggers with Prefect's handlers: the first ones have the console handler, the others the handler for the API."""

_current_worker: ContextVar[str | None] = ContextVar("satflow_dask_worker", default=None)
"""The name of the Dask worker that runs this task, set only for SatFlow's tasks: others may use this process as well."""


class NamingHandler(APILogHandler):
    """Prefect's handler, with the Dask worker's name added to the logger's: `prefect.task_runs on Dask worker 3`."""

    def prepare(self, record: logging.LogRecord) -> dict[str, Any]:
        """Convert the record to the format of the API."""
        worker = _current_worker.get()
        if worker is not None:
            record = copy.copy(record)
            record.name = f"{record.name} on Dask worker {worker}"
        return super().prepare(record)


def attach_handlers(worker: Worker) -> None:
    """Add the worker's name to log lines of this context and of its copies."""
    capture_logs()
    make_messages_encodable()
    record_failed_inputs()
    _current_worker.set(_worker_name(worker))
    for logger in map(logging.getLogger, LOGGERS):
        _replace_handlers(logger, APILogHandler, _make_naming_handler)
        _replace_handlers(logger, PrefectConsoleHandler, _make_plain_handler)


def _replace_handlers(
    logger: logging.Logger, kind: type[logging.Handler], make_handler: Callable[[Any], logging.Handler | None]
) -> None:
    """Replace each of Prefect's handlers of this class by the result of `make_handler`, unless the result is None."""
    for stock in [each for each in logger.handlers if type(each) is kind]:
        if (other := make_handler(stock)) is not None:
            other.setLevel(stock.level)
            other.setFormatter(stock.formatter)
            logger.removeHandler(stock)
            logger.addHandler(other)


def _make_naming_handler(stock: logging.Handler) -> NamingHandler:
    return NamingHandler()


def _make_plain_handler(stock: PrefectConsoleHandler) -> logging.Handler | None:
    """Create a handler without colors if the stream is not a terminal: Prefect's needs half the time of a task per line."""
    return None if stock.stream.isatty() else logging.StreamHandler(stock.stream)


def _worker_name(worker: Worker) -> str:
    """Return the name from the cluster's status. An unnamed worker's name is its address, which must stay private."""
    name = str(worker.name)
    return worker.id.rpartition("-")[2] if "://" in name else name
