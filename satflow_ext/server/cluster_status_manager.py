"""Dask clusters: those of flow runs on this machine, and those that deployments keep between their runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from satflow_ext.clusters.status_files import StatusFiles
from satflow_ext.clusters.update_reader import UpdateReader
from satflow_ext.models import ClusterFrame, ClusterList, ClustersFrame, ClusterStatus
from satflow_ext.server.cluster_watch import ClusterWatcherProcess
from satflow_ext.server.stack_manager import StackManager

READ_INTERVAL = 1.0
"""Seconds between two reads of the status files, which flow runs write once a second."""


class ClusterManager:
    """Reads the status files of clusters.

    Args:
        stack: provides the settings with the folder of the status files.
        watcher: the cluster watcher, which writes status files of clusters between runs.
    """

    def __init__(self, stack: StackManager, watcher: ClusterWatcherProcess) -> None:
        self._stack = stack
        self._watcher = watcher

    async def list_all(self) -> ClusterList:
        """List all clusters, newest first."""
        clusters, _ = await asyncio.to_thread(self._status_files().read_statuses)
        return ClusterList(clusters=clusters)

    async def read_cluster(self, run_id: str) -> ClusterStatus | None:
        """Read the cluster of one run, None if it has none."""
        return await asyncio.to_thread(self._status_files().read_status, run_id)

    async def watch_cluster(self, run_id: str) -> AsyncGenerator[ClusterFrame, None]:
        """Yield the status of a run's cluster, at once and whenever it has changed."""
        following = UpdateReader(self._status_files())
        seen: ClusterStatus | None = None
        first = True
        while True:
            status, moments = await asyncio.to_thread(following.read_cluster, run_id)
            if first or status != seen:
                yield ClusterFrame(type="cluster.v1", run_id=run_id, status=status, moments=moments)
            seen, first = status, False
            await asyncio.sleep(READ_INTERVAL)

    async def watch_all(self) -> AsyncGenerator[ClustersFrame, None]:
        """Yield all clusters, at once and whenever one has changed. Meanwhile, clusters between runs are watched."""
        following = UpdateReader(self._status_files())
        seen: tuple[tuple[ClusterStatus, ...], tuple[str, ...]] | None = None
        with self._watcher.listen():
            while True:
                clusters, absent, moments = await asyncio.to_thread(following.read_clusters)
                if (clusters, absent) != seen:
                    yield ClustersFrame(type="clusters.v1", clusters=clusters, absent=absent, moments=moments)
                seen = clusters, absent
                await asyncio.sleep(READ_INTERVAL)

    async def close(self) -> None:
        """Stop the cluster watcher."""
        await self._watcher.close()

    def _status_files(self) -> StatusFiles:
        return StatusFiles(self._stack.settings)
