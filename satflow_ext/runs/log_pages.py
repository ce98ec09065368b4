"""The log lines of a run, read page by page from the Prefect API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId, LogFilterTimestamp
from prefect.client.schemas.sorting import LogSort
from prefect.types._datetime import create_datetime_instance

from satflow_ext.run_logs.lines import RunLogLine, create_line

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import Log

PAGE_SIZE = 200
"""Maximum number of log lines in one response of the API."""


async def read_log_pages(
    client: PrefectClient, flow_run_id: UUID, since: datetime | None = None
) -> AsyncIterator[list[Log]]:
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
            _make_filter(flow_run_id, since), limit=PAGE_SIZE, offset=offset, sort=LogSort.TIMESTAMP_ASC
        )
        if page:
            yield page
        if len(page) < PAGE_SIZE:
            return
        newest = page[-1].timestamp
        offset = offset + len(page) if newest == since else 0
        since = newest


def _make_filter(flow_run_id: UUID, since: datetime | None) -> LogFilter:
    after = LogFilterTimestamp(after_=create_datetime_instance(since)) if since else None
    return LogFilter(flow_run_id=LogFilterFlowRunId(any_=[flow_run_id]), timestamp=after)


def convert_line(log: Log) -> RunLogLine:
    """Convert a line of the API to the form of a spool file's line."""
    return create_line(log.timestamp, log.level, log.name, log.message, log.task_run_id)
