"""A run's whole log as text, for keeping."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

from prefect.client.schemas.objects import Log

from satflow_ext.endpoints import PrefectApi
from satflow_ext.prefect_api import prefect_client
from satflow_ext.runs.finding import find
from satflow_ext.runs.log_pages import log_pages


async def whole_log(prefect_api: PrefectApi, run_id: str, indent: str = "") -> AsyncIterator[str]:
    """The log in pieces of a few hundred lines, `time | LEVEL | logger - message` each, oldest first.

    Args:
        prefect_api: where the run is.
        run_id: the flow run.
        indent: what further lines of a message begin with, so that they cannot look like lines of the log.

    Raises:
        RunNotFound: Prefect has no flow run with that id.
        PrefectFailed: the API did not answer.
    """
    async with prefect_client(prefect_api) as client:
        flow_run = await find(client, run_id)
        before: set[object] = set()
        async for page in log_pages(client, flow_run.id):
            # A page begins with the instant that the one before ended with.
            fresh = [log for log in page if log.id not in before]
            yield "".join(_line(log, indent) for log in fresh)
            before = {log.id for log in page}


def _line(log: Log, indent: str) -> str:
    level = logging.getLevelName(log.level)
    return f"{log.timestamp.isoformat()} | {level} | {log.name} - {indented(log.message, indent)}\n"


def indented(message: str, indent: str) -> str:
    """A message with this before each of its lines but the first."""
    return message.replace("\n", f"\n{indent}")
