"""The process that watches clusters between runs, as the server manages it (the process: clusters/test_cluster_watcher.py)."""

from __future__ import annotations

import asyncio

import pytest

from satflow_ext.server.cluster_watch import IDLE_REFRESHES, ClusterWatcherProcess
from satflow_ext.server.stack import StackManager
from satflow_ext.settings import Settings

pytestmark = pytest.mark.slow

REFRESH = 0.02


async def test_whoever_listens_is_told_whenever_the_last_one_left(tmp_path):
    settings = Settings(state_dir=tmp_path, runtime_dir=tmp_path / "run")
    lookout = ClusterWatcherProcess(StackManager(lambda: settings), REFRESH)
    for tenth in range(0, 10 * (IDLE_REFRESHES + 2), 2):  # before it gives up, at that moment, and afterwards
        with lookout.listen():
            assert lookout.is_running
        await asyncio.sleep(REFRESH * tenth / 10)
        with lookout.listen():
            await asyncio.sleep(REFRESH * (IDLE_REFRESHES + 2))
            assert lookout.is_running
    await asyncio.sleep(10 * REFRESH * (IDLE_REFRESHES + 2))
    assert not lookout.is_running
    await lookout.close()
