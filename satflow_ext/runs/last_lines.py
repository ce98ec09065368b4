"""The newest log line of each of several runs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId
from prefect.client.schemas.sorting import LogSort

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import Log

PAGE_SIZE = 200
"""Maximum number of log lines in one response of the API."""

INDIVIDUAL_QUERIES = 20
"""Number of runs that are queried individually: Prefect's index finds one row, but a page of several runs sorts all lines."""

MAX_LINE_LENGTH = 500
"""Maximum number of characters of a line in a row."""


async def read_last_lines(client: PrefectClient, run_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Read the newest line of each run that has one.

    Args:
        client: an open Prefect client.
        run_ids: the runs that have not ended.
    """
    singly = run_ids[:INDIVIDUAL_QUERIES]
    lines: dict[UUID, str] = {}
    for found in await asyncio.gather(*[_read_newest(client, [run_id], 1) for run_id in singly]):
        lines |= _pick_first_of_each(found)
    if rest := run_ids[INDIVIDUAL_QUERIES:]:
        lines |= _pick_first_of_each(await _read_newest(client, rest, PAGE_SIZE))
    return lines


async def _read_newest(client: PrefectClient, run_ids: Sequence[UUID], limit: int) -> list[Log]:
    wanted = LogFilter(flow_run_id=LogFilterFlowRunId(any_=list(run_ids)))
    return await client.read_logs(wanted, limit=limit, sort=LogSort.TIMESTAMP_DESC)


def _pick_first_of_each(newest_first: Sequence[Log]) -> dict[UUID, str]:
    lines: dict[UUID, str] = {}
    for log in newest_first:
        if log.flow_run_id is not None:
            lines.setdefault(log.flow_run_id, log.message[:MAX_LINE_LENGTH])
    return lines
