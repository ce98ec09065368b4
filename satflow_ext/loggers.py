"""Pickling of loggers by their names and levels.

cloudpickle sends only the name, so that in the receiving process a logger has the level of its parents.
"""

from __future__ import annotations

import logging
from typing import Any


def reduce_logger(logger: logging.Logger) -> tuple[Any, ...]:
    """Reduce a logger for pickle to its name and, if it was set, its level."""
    if logger.level == logging.NOTSET:
        return logging.getLogger, (logger.name,)
    return logging.getLogger, (logger.name,), logger.level, None, None, logging.Logger.setLevel


def register_logger_pickling() -> None:
    """Make all cloudpickle picklers of this process send loggers with their levels."""
    import cloudpickle

    cloudpickle.Pickler.dispatch_table[logging.Logger] = reduce_logger
