"""The redaction policy, decided on the machine where the flow runs."""

from __future__ import annotations

import os

from satflow_ext import cell_lines, endpoints
from satflow_ext.errors import StackFailed
from satflow_ext.settings import RedactionLevel, Settings

POLICY_VARIABLE = "SATFLOW_TELL_PREFECT"
"""The environment variable of the setting `tell_prefect`, which also passes the policy to a flow run's child processes."""


def decide_level(settings: Settings) -> RedactionLevel:
    """Return the configured level. The default is "everything" for the local stack's Prefect API, which is on this machine."""
    if settings.tell_prefect is not None:
        return settings.tell_prefect
    from prefect.settings import PREFECT_API_URL

    try:
        record = endpoints.read_record(settings)
    except (StackFailed, OSError):  # a record of another user or version is not that of this flow run's stack
        record = None
    own = record is not None and record.prefect_url is not None and record.prefect_url == PREFECT_API_URL.value()
    return "everything" if own else "messages"


def process_level() -> RedactionLevel:
    """Return the policy of the flow run that this process belongs to; "everything" outside of flow runs."""
    level = os.environ.get(POLICY_VARIABLE)
    return level if level in ("messages", "types") else "everything"  # type: ignore[return-value]  # one of the three


def shareable_cells() -> cell_lines.CellLines:
    """Return the cells that other processes of this flow run may show in tracebacks: none unless code may be sent."""
    return cell_lines.registered_cells() if process_level() == "everything" else ()
