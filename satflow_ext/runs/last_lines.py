"""The newest log line of each of several runs, usually in one request."""

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

PAGE = 200
"""The most log lines that the API gives at once."""

SINGLY = 20
"""How many runs, drowned out of the common page by chattier ones, are asked for one by one."""

READABLE = 500
"""Characters of a line that are shown in a row."""


async def last_lines(client: PrefectClient, run_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The newest line of each run that has one.

    Args:
        client: an open Prefect client.
        run_ids: the runs that have not ended.
    """
    if not run_ids:
        return {}
    page = await _newest(client, run_ids, PAGE)
    lines = _first_of_each(page)
    if len(page) == PAGE:
        missing = [run_id for run_id in run_ids if run_id not in lines][:SINGLY]
        for found in await asyncio.gather(*[_newest(client, [run_id], 1) for run_id in missing]):
            lines |= _first_of_each(found)
    return lines


async def _newest(client: PrefectClient, run_ids: Sequence[UUID], limit: int) -> list[Log]:
    wanted = LogFilter(flow_run_id=LogFilterFlowRunId(any_=list(run_ids)))
    return await client.read_logs(wanted, limit=limit, sort=LogSort.TIMESTAMP_DESC)


def _first_of_each(newest_first: Sequence[Log]) -> dict[UUID, str]:
    lines: dict[UUID, str] = {}
    for log in newest_first:
        if log.flow_run_id is not None:
            lines.setdefault(log.flow_run_id, log.message[:READABLE])
    return lines
