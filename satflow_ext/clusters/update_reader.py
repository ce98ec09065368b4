"""Updates of clusters for one listener: first the history of the last minutes, then each new moment."""

from __future__ import annotations

from datetime import datetime

from satflow_ext.clusters.sample_history import to_moment
from satflow_ext.clusters.status_files import StatusFiles, cluster_key
from satflow_ext.models import ClusterMoment, ClusterStatus

Moments = tuple[ClusterMoment, ...]


class UpdateReader:
    """Reads the status files for one listener. All methods block.

    Args:
        board: the status files.
    """

    def __init__(self, board: StatusFiles) -> None:
        self._status_files = board
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
        heard, self._read_times = self._read_times, {cluster_key(each): each.updated for each in clusters}
        return {key: self._moments_since(key, heard.get(key), each) for each in clusters if (key := cluster_key(each))}

    def _moments_since(self, key: str, last_read: datetime | None, status: ClusterStatus) -> Moments:
        if last_read is None:
            return self._status_files.read_history(key)
        return () if last_read == status.updated or status.state == "starting" else (to_moment(status),)
