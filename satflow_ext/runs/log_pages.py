"""The log lines of a run, read page by page from the Prefect API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

from satflow_ext.models import JsonObject
from satflow_ext.prefect_api import PrefectClient
from satflow_ext.prefect_rows import LogRow
from satflow_ext.run_logs.lines import RunLogLine, create_line

PAGE_SIZE = 200
"""Maximum number of log lines in one response of the API."""


async def read_log_pages(
    client: PrefectClient, flow_run_id: UUID, since: datetime | None = None
) -> AsyncIterator[list[LogRow]]:
    """Yield pages of at most `PAGE_SIZE` lines, oldest first. Lines may occur twice; none is left out.

    Pagination is by time and not by offset: lines of other processes, arriving late with an earlier time, would shift every
    offset after them. Only lines of the same instant are paginated by offset.

    Args:
        client: an open Prefect client.
        flow_run_id: id of the run.
        since: leave out older lines.
    """
    offset = 0
    while True:
        page = await client.read_logs(
            _make_filter(flow_run_id, since), limit=PAGE_SIZE, offset=offset, sort="TIMESTAMP_ASC"
        )
        if page:
            yield page
        if len(page) < PAGE_SIZE:
            return
        newest = page[-1].timestamp
        offset = offset + len(page) if newest == since else 0
        since = newest


def _make_filter(flow_run_id: UUID, since: datetime | None) -> JsonObject:
    found: JsonObject = {"flow_run_id": {"any_": [str(flow_run_id)]}}
    return {**found, "timestamp": {"after_": since.isoformat()}} if since else found


def convert_line(log: LogRow) -> RunLogLine:
    """Convert a line of the API to the form of a spool file's line."""
    return create_line(log.timestamp, log.level, log.name, log.message, log.task_run_id)
