"""Updates of clusters for one listener: first the history of the last minutes, then each new moment."""

from __future__ import annotations

from datetime import datetime

from satflow_ext.clusters.sample_history import moment
from satflow_ext.clusters.status_files import Board, key_of
from satflow_ext.models import ClusterMoment, ClusterStatus

Moments = tuple[ClusterMoment, ...]


class Following:
    """Reads the status files for one listener. All methods block.

    Args:
        board: the status files.
    """

    def __init__(self, board: Board) -> None:
        self._board = board
        self._heard: dict[str, datetime] = {}

    def look_at(self, key: str) -> tuple[ClusterStatus | None, Moments]:
        """Read the status of one cluster and its new moments."""
        status = self._board.read(key)
        moments = self._news((status,) if status else ())
        return status, moments.get(key, ())

    def look(self) -> tuple[tuple[ClusterStatus, ...], tuple[str, ...], dict[str, Moments]]:
        """Read all statuses, the ids of deployments without a cluster, and the new moments of each cluster."""
        clusters, absent = self._board.read_all()
        return clusters, absent, self._news(clusters)

    def _news(self, clusters: tuple[ClusterStatus, ...]) -> dict[str, Moments]:
        heard, self._heard = self._heard, {key_of(each): each.updated for each in clusters}
        return {key: self._since(key, heard.get(key), each) for each in clusters if (key := key_of(each))}

    def _since(self, key: str, heard: datetime | None, status: ClusterStatus) -> Moments:
        if heard is None:
            return self._board.past(key)
        return () if heard == status.updated or status.state == "starting" else (moment(status),)
