"""Where a flow run's own log is."""

from __future__ import annotations

import logging


def run_log() -> logging.Logger | logging.LoggerAdapter[logging.Logger]:
    """The log of the flow run that this happens in; outside of one, this package's."""
    from prefect.exceptions import MissingContextError
    from prefect.logging import get_run_logger

    try:
        return get_run_logger()
    except MissingContextError:
        return logging.getLogger(__name__)
