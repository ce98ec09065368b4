"""The local stack executes so many runs at a time and no more, also after a restart of its Prefect worker."""

from __future__ import annotations

import asyncio
from datetime import datetime, timezone
from pathlib import Path

import pytest
from prefect.client.schemas.actions import WorkPoolUpdate
from prefect.client.schemas.objects import WorkPool
from prefect.workers.process import ProcessWorker

from satflow_ext import lease
from satflow_ext.endpoints import LOCAL_POOL, StackRecord
from satflow_ext.stack.orphaned_runs import PROCESS_KILLED
from satflow_ext.stack.service_definitions import choose_limit
from tests.eventually import eventually
from tests.prefect_clients import stock_client
from tests.stack.kills import PATIENCE, begun, ended, kill, service, state
from tests.stack.place import Place
from tests.stack.sleeping import api_of, sleepers, start_sleeper


@pytest.mark.parametrize(
    ("current", "last_set", "limit"),
    [
        (None, None, 4),  # made by a Prefect worker, or the user has taken the limit away
        (4, None, None),
        (4, 4, None),
        (2, 2, 4),  # set for an earlier run limit
        (8, 8, 4),
        (2, None, None),  # the user's own
        (2, 4, None),
        (8, 4, 4),  # more than the run limit is not executed in any case
    ],
)
def test_a_lower_limit_of_the_user_is_kept(current, last_set, limit):
    assert choose_limit(current, last_set, 4) == limit


def test_a_restart_of_the_prefect_worker_gives_no_more_places(
    whole: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SATFLOW_RUN_LIMIT", "1")
    with lease.acquire_lease(whole.settings) as held:
        record = held.record
        assert record is not None
        pool = asyncio.run(read_pool(record))
        assert (pool.type, pool.concurrency_limit) == ("satflow", 1)
        assert pool.base_job_template["variables"]
        asyncio.run(use_earlier_template(record))
        first = begun(record, tmp_path / "first")
        kill(whole, "prefect-worker")
        eventually(lambda: service(whole, "prefect-worker").restarts == 1, "the next worker", seconds=PATIENCE)
        eventually(lambda: service(whole, "prefect-worker").state == "ready", "the next worker", seconds=PATIENCE)
        assert "memory_limit" in asyncio.run(read_pool(record)).base_job_template["variables"]["properties"]
        folder = tmp_path / "second"
        folder.mkdir()
        second = asyncio.run(start_sleeper(record, folder))
        assert asyncio.run(count_handed_out(record)) == 0
        assert state(record, second).is_scheduled()
        kill(whole, None, tmp_path / "first")
        assert ended(record, first).message == PROCESS_KILLED
        eventually(lambda: sleepers(folder), "the second run to start", seconds=PATIENCE)


async def read_pool(record: StackRecord) -> WorkPool:
    """The local work pool."""
    async with stock_client(api_of(record)) as client:
        return await client.read_work_pool(LOCAL_POOL)


async def use_earlier_template(record: StackRecord) -> None:
    """Give the local work pool the template of a SatFlow without memory limits."""
    earlier = WorkPoolUpdate(base_job_template=ProcessWorker.get_default_base_job_template())
    async with stock_client(api_of(record)) as client:
        await client.update_work_pool(LOCAL_POOL, earlier)


async def count_handed_out(record: StackRecord) -> int:
    """The number of runs that a Prefect worker would get now."""
    async with stock_client(api_of(record)) as client:
        return len(
            await client.get_scheduled_flow_runs_for_work_pool(LOCAL_POOL, scheduled_before=datetime.now(timezone.utc))
        )
