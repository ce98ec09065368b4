"""Dask clusters: of flow runs on this machine, as those say, and of deployments that have one also between their runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from satflow_ext.clusters.status_files import Board
from satflow_ext.clusters.update_reader import Following
from satflow_ext.models import ClusterFrame, ClusterList, ClustersFrame, ClusterStatus
from satflow_ext.server.cluster_watch import Lookout
from satflow_ext.server.stack import StackManager

LOOK = 1.0
"""Seconds between two looks at the board: flow runs write on it once a second."""


class ClusterManager:
    """Reads the board.

    Args:
        stack: knows the settings, which say where the board is.
        lookout: tells on it of clusters between runs.
    """

    def __init__(self, stack: StackManager, lookout: Lookout) -> None:
        self._stack = stack
        self._lookout = lookout

    async def list_all(self) -> ClusterList:
        """Every cluster, newest first."""
        clusters, _ = await asyncio.to_thread(self._board().read_all)
        return ClusterList(clusters=clusters)

    async def get(self, run_id: str) -> ClusterStatus | None:
        """The cluster of one run, None when it has none."""
        return await asyncio.to_thread(self._board().read, run_id)

    async def changes(self, run_id: str) -> AsyncGenerator[ClusterFrame, None]:
        """The status of a run's cluster, at once and whenever it has changed."""
        following = Following(self._board())
        seen: ClusterStatus | None = None
        first = True
        while True:
            status, moments = await asyncio.to_thread(following.look_at, run_id)
            if first or status != seen:
                yield ClusterFrame(type="cluster.v1", run_id=run_id, status=status, moments=moments)
            seen, first = status, False
            await asyncio.sleep(LOOK)

    async def all_changes(self) -> AsyncGenerator[ClustersFrame, None]:
        """Every cluster, at once and whenever one has changed; as long as somebody listens those between runs are looked at."""
        following = Following(self._board())
        seen: tuple[tuple[ClusterStatus, ...], tuple[str, ...]] | None = None
        with self._lookout.held():
            while True:
                clusters, absent, moments = await asyncio.to_thread(following.look)
                if (clusters, absent) != seen:
                    yield ClustersFrame(type="clusters.v1", clusters=clusters, absent=absent, moments=moments)
                seen = clusters, absent
                await asyncio.sleep(LOOK)

    async def close(self) -> None:
        """Look at nothing any more."""
        await self._lookout.close()

    def _board(self) -> Board:
        return Board(self._stack.settings)
