"""A run's whole log as text, for keeping."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

from satflow_ext.endpoints import PrefectApi
from satflow_ext.prefect_api import prefect_client
from satflow_ext.runs.finding import find
from satflow_ext.runs.log_pages import log_pages


async def whole_log(prefect_api: PrefectApi, run_id: str) -> AsyncIterator[str]:
    """The log in pieces of a few hundred lines, `time | LEVEL | logger - message` each, oldest first.

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
            yield "".join(
                f"{log.timestamp.isoformat()} | {logging.getLevelName(log.level)} | {log.name} - {log.message}\n"
                for log in fresh
            )
            before = {log.id for log in page}
