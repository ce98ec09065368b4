"""The logger of the current flow run."""

from __future__ import annotations

import logging


def run_log() -> logging.Logger | logging.LoggerAdapter[logging.Logger]:
    """Return the logger of the current flow run, or this package's logger outside a flow run."""
    from prefect.exceptions import MissingContextError
    from prefect.logging import get_run_logger

    try:
        return get_run_logger()
    except MissingContextError:
        return logging.getLogger(__name__)
