"""Dask clusters of flow runs on this machine, as those runs say of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from satflow_ext.clusters.board import Board
from satflow_ext.models import ClusterFrame, ClusterList, ClusterStatus
from satflow_ext.server.stack import StackManager

LOOK = 1.0
"""Seconds between two looks at the board: flow runs write on it once a second."""


class ClusterManager:
    """Reads the board.

    Args:
        stack: knows the settings, which say where the board is.
    """

    def __init__(self, stack: StackManager) -> None:
        self._stack = stack

    async def list_all(self) -> ClusterList:
        """Every cluster, newest first."""
        return ClusterList(clusters=await asyncio.to_thread(self._board().read_all))

    async def get(self, run_id: str) -> ClusterStatus | None:
        """The cluster of one run, None when it has none."""
        return await asyncio.to_thread(self._board().read, run_id)

    async def changes(self, run_id: str) -> AsyncGenerator[ClusterFrame, None]:
        """The status of a run's cluster, at once and whenever it has changed."""
        seen: ClusterStatus | None = None
        first = True
        while True:
            status = await self.get(run_id)
            if first or status != seen:
                yield ClusterFrame(type="cluster.v1", run_id=run_id, status=status)
            seen, first = status, False
            await asyncio.sleep(LOOK)

    def _board(self) -> Board:
        return Board(self._stack.settings)
