"""Loggers between processes: found by their names, with the level that code has set.

cloudpickle sends the name alone, and a logger has the level of its parents where it arrives.
"""

from __future__ import annotations

import logging
from typing import Any


def reduce_logger(logger: logging.Logger) -> tuple[Any, ...]:
    """Reduce a logger for pickle: its name, and its level where it has one of its own."""
    if logger.level == logging.NOTSET:
        return logging.getLogger, (logger.name,)
    return logging.getLogger, (logger.name,), logger.level, None, None, logging.Logger.setLevel


def keep_levels() -> None:
    """Let each cloudpickle of this process send loggers with their levels."""
    import cloudpickle

    cloudpickle.Pickler.dispatch_table[logging.Logger] = reduce_logger
