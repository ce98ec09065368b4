"""Dask clusters: those of flow runs on this machine, and those that deployments keep between their runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import datetime
from http import HTTPStatus

from jupyter_server.auth.decorator import authorized
from tornado import web

from satflow_ext.clusters.sample_history import to_moment
from satflow_ext.clusters.status_files import StatusFiles, cluster_key
from satflow_ext.models import ClusterFrame, ClusterList, ClusterMoment, ClusterOrder, ClustersFrame, ClusterStatus
from satflow_ext.server.base_handler import SatflowHandler, SessionHandler
from satflow_ext.server.cluster_watch import ClusterWatcherProcess
from satflow_ext.server.stack import StackManager

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


Moments = tuple[ClusterMoment, ...]


class UpdateReader:
    """Reads the status files for one listener. All methods block.

    Args:
        status_files: the status files.
    """

    def __init__(self, status_files: StatusFiles) -> None:
        self._status_files = status_files
        self._read_times: dict[str, datetime] = {}

    def read_cluster(self, key: str) -> tuple[ClusterStatus | None, Moments]:
        """Read the status of one cluster and its new moments."""
        status = self._status_files.read_status(key)
        moments = self._new_moments((status,) if status else ())
        return status, moments.get(key, ())

    def read_clusters(self) -> tuple[tuple[ClusterStatus, ...], tuple[str, ...], dict[str, Moments]]:
        """Read all statuses, the ids of deployments without a cluster, and the new moments of each cluster."""
        clusters, absent = self._status_files.read_statuses()
        return clusters, absent, self._new_moments(clusters)

    def _new_moments(self, clusters: tuple[ClusterStatus, ...]) -> dict[str, Moments]:
        previous_times, self._read_times = self._read_times, {cluster_key(each): each.updated for each in clusters}
        return {
            key: self._moments_since(key, previous_times.get(key), each)
            for each in clusters
            if (key := cluster_key(each))
        }

    def _moments_since(self, key: str, last_read: datetime | None, status: ClusterStatus) -> Moments:
        if last_read is None:
            return self._status_files.read_history(key)
        return () if last_read == status.updated or status.state == "starting" else (to_moment(status),)


class ClustersHandler(SatflowHandler):
    """All Dask clusters of flow runs on this machine."""

    def initialize(self, clusters: ClusterManager) -> None:
        """Keep the manager of clusters of this server."""
        self._clusters = clusters

    @web.authenticated
    @authorized(action="read", resource="satflow_ext:clusters")
    async def get(self) -> None:
        """Reply with the ClusterList."""
        self.reply(await self._clusters.list_all())


class SharedClusterHandler(SessionHandler):
    """The shared cluster of a deployment."""

    @web.authenticated
    @authorized(action="read", resource="satflow_ext:clusters")
    async def get(self, deployment_id: str) -> None:
        """Reply with the SharedCluster."""
        self.reply(await self._session.clusters.read_cluster(deployment_id))

    @web.authenticated
    @authorized(action="execute", resource="satflow_ext:clusters")
    async def post(self, deployment_id: str) -> None:
        """Apply an order, and reply when it is done: ClusterOrder → SharedCluster."""
        self.reply(await self._session.clusters.apply_order(deployment_id, self.read_body(ClusterOrder)))

    @web.authenticated
    @authorized(action="execute", resource="satflow_ext:clusters")
    async def delete(self, deployment_id: str) -> None:
        """Stop the cluster; runs that use it fail."""
        await self._session.clusters.close_cluster(deployment_id)
        self.set_status(HTTPStatus.NO_CONTENT)
        self.finish()
