"""How much is told, decided on the machine where the flow runs."""

from __future__ import annotations

import os

from satflow_ext import endpoints
from satflow_ext.errors import StackFailed
from satflow_ext.settings import Settings, Telling

VARIABLE = "SATFLOW_TELL_PREFECT"
"""The setting `tell_prefect`, and how the processes that a flow run starts learn what was decided."""


def in_force(settings: Settings) -> Telling:
    """What was set; else everything where the Prefect API is the local stack's, so that nothing leaves the machine."""
    if settings.tell_prefect is not None:
        return settings.tell_prefect
    from prefect.settings import PREFECT_API_URL

    try:
        record = endpoints.read_record(settings)
    except (StackFailed, OSError):  # another's, or of another version: then it is not the stack of this flow run
        record = None
    own = record is not None and record.prefect_url is not None and record.prefect_url == PREFECT_API_URL.value()
    return "everything" if own else "messages"


def of_this_process() -> Telling:
    """What the flow run that this process belongs to has decided; everything, in a process of no flow run."""
    told = os.environ.get(VARIABLE)
    return told if told in ("messages", "types") else "everything"  # type: ignore[return-value]  # one of the three
