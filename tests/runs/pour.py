"""Pours log lines into a flow run through the Prefect API, as a flow's own logger does: batches, each a POST.

Run as a process of its own: `python pour.py RUN_ID LINES LINES_PER_SECOND [LATE]`, where the address is in the environment. With
LATE, every hundredth line comes two seconds after the others, the way another process's logger sends it. A batch that the API
refuses, or does not answer in time, is sent again: how much a busy machine accepts is not the subject of these tests.
"""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import datetime, timezone
from time import monotonic
from uuid import UUID

import httpx
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import LogCreate

from satflow_ext.endpoints import PrefectApi
from tests.prefect_clients import stock_client

BATCH_SECONDS = 0.2
BATCH_LINES = 500
LATE_SECONDS = 2.0


async def pour(api: PrefectApi, run_id: UUID, lines: int, rate: int, late: bool) -> None:
    """Send that many lines at that rate; the n-th line's message is `line n`."""
    begun = monotonic()
    sent = 0
    held: list[tuple[float, LogCreate]] = []
    async with stock_client(api) as client:
        while sent < lines or held:
            due = min(lines, int((monotonic() - begun) * rate))
            batch = []
            for number in range(sent, due):
                line = _line(run_id, number)
                if late and number % 100 == 0:
                    held.append((monotonic() + LATE_SECONDS, line))
                else:
                    batch.append(line)
            batch += [line for at, line in held if at <= monotonic()]
            held = [(at, line) for at, line in held if at > monotonic()]
            sent = max(sent, due)
            for begin in range(0, len(batch), BATCH_LINES):
                await _send(client, batch[begin : begin + BATCH_LINES])
            await asyncio.sleep(BATCH_SECONDS)


async def _send(client: PrefectClient, batch: list[LogCreate]) -> None:
    """Send the batch until the API has it; readers know a line that came twice by its content."""
    while True:
        try:
            return await client.create_logs(batch)
        except httpx.HTTPError as error:
            sys.stderr.write(f"{len(batch)} lines are sent again: {error!r}\n")
            await asyncio.sleep(BATCH_SECONDS)


def _line(run_id: UUID, number: int) -> LogCreate:
    now = datetime.now(timezone.utc)
    return LogCreate(name="prefect.flow_runs", level=20, message=f"line {number}", timestamp=now, flow_run_id=run_id)


if __name__ == "__main__":
    where = PrefectApi(os.environ["POUR_API"], auth_string=os.environ["POUR_AUTH"])
    asyncio.run(pour(where, UUID(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:] == ["late"]))
