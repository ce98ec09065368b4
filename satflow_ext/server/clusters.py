"""Dask clusters: those of flow runs on this machine, and those that deployments keep between their runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from satflow_ext.clusters.status_files import Board
from satflow_ext.clusters.update_reader import Following
from satflow_ext.models import ClusterFrame, ClusterList, ClustersFrame, ClusterStatus
from satflow_ext.server.cluster_watch import Lookout
from satflow_ext.server.stack import StackManager

LOOK = 1.0
"""Seconds between two reads of the status files, which flow runs write once a second."""


class ClusterManager:
    """Reads the status files of clusters.

    Args:
        stack: provides the settings with the folder of the status files.
        lookout: the cluster watcher, which writes status files of clusters between runs.
    """

    def __init__(self, stack: StackManager, lookout: Lookout) -> None:
        self._stack = stack
        self._lookout = lookout

    async def list_all(self) -> ClusterList:
        """List all clusters, newest first."""
        clusters, _ = await asyncio.to_thread(self._board().read_all)
        return ClusterList(clusters=clusters)

    async def get(self, run_id: str) -> ClusterStatus | None:
        """Read the cluster of one run, None if it has none."""
        return await asyncio.to_thread(self._board().read, run_id)

    async def changes(self, run_id: str) -> AsyncGenerator[ClusterFrame, None]:
        """Yield the status of a run's cluster, at once and whenever it has changed."""
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
        """Yield all clusters, at once and whenever one has changed. Meanwhile, clusters between runs are watched."""
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
        """Stop the cluster watcher."""
        await self._lookout.close()

    def _board(self) -> Board:
        return Board(self._stack.settings)
