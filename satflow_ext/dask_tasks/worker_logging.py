"""Log lines of tasks say which Dask worker they come from: in the logger's name, so that the message stays as it is."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from prefect.logging.handlers import APILogHandler, PrefectConsoleHandler

from satflow_ext.redaction.encodable import make_messages_encodable
from satflow_ext.run_logs.capture import capture_logs

if TYPE_CHECKING:
    from distributed import Worker

LOGGERS = ("root", "prefect", "prefect.flow_runs", "prefect.task_runs", "prefect.extra")
"""The loggers to which Prefect gives handlers: the first ones that of the console, the others that which sends to the API."""

_worker: ContextVar[str | None] = ContextVar("satflow_dask_worker", default=None)
"""The name of the Dask worker that runs this task, where it is a task of ours: others may use this process as well."""


class NamingHandler(APILogHandler):
    """Prefect's handler, which adds the Dask worker's name to the logger's: `prefect.task_runs on Dask worker 3`."""

    def prepare(self, record: logging.LogRecord) -> dict[str, Any]:
        """The line as the API takes it."""
        worker = _worker.get()
        if worker is not None:
            record = copy.copy(record)
            record.name = f"{record.name} on Dask worker {worker}"
        return super().prepare(record)


def attach(worker: Worker) -> None:
    """Let lines of this context, and of contexts that are copies of it, name a worker."""
    capture_logs()
    make_messages_encodable()
    _worker.set(_name(worker))
    for logger in map(logging.getLogger, LOGGERS):
        _replace(logger, APILogHandler, _naming)
        _replace(logger, PrefectConsoleHandler, _plain)


def _replace(
    logger: logging.Logger, kind: type[logging.Handler], make: Callable[[Any], logging.Handler | None]
) -> None:
    """Put another handler in the place of each of Prefect's of a kind; None leaves it there."""
    for stock in [each for each in logger.handlers if type(each) is kind]:
        if (other := make(stock)) is not None:
            other.setLevel(stock.level)
            other.setFormatter(stock.formatter)
            logger.removeHandler(stock)
            logger.addHandler(other)


def _naming(stock: logging.Handler) -> NamingHandler:
    return NamingHandler()


def _plain(stock: PrefectConsoleHandler) -> logging.Handler | None:
    """What writes the same where nobody sees colours: Prefect's takes as long for a line as its engine for half a task."""
    return None if stock.stream.isatty() else logging.StreamHandler(stock.stream)


def _name(worker: Worker) -> str:
    """As the cluster's status has it; a worker that nobody has named is called by its address, which is not for everyone."""
    name = str(worker.name)
    return worker.id.rpartition("-")[2] if "://" in name else name
