"""What one listener has not heard yet of clusters: the last minutes at first, then moment by moment."""

from __future__ import annotations

from datetime import datetime

from satflow_ext.clusters.sample_history import moment
from satflow_ext.clusters.status_files import Board, key_of
from satflow_ext.models import ClusterMoment, ClusterStatus

Moments = tuple[ClusterMoment, ...]


class Following:
    """Reads the board for one listener. Everything here blocks.

    Args:
        board: to read.
    """

    def __init__(self, board: Board) -> None:
        self._board = board
        self._heard: dict[str, datetime] = {}

    def look_at(self, key: str) -> tuple[ClusterStatus | None, Moments]:
        """The status of one cluster, and what is new of it."""
        status = self._board.read(key)
        moments = self._news((status,) if status else ())
        return status, moments.get(key, ())

    def look(self) -> tuple[tuple[ClusterStatus, ...], tuple[str, ...], dict[str, Moments]]:
        """Every status, the deployments that have no cluster now, and what is new of each cluster."""
        clusters, absent = self._board.read_all()
        return clusters, absent, self._news(clusters)

    def _news(self, clusters: tuple[ClusterStatus, ...]) -> dict[str, Moments]:
        heard, self._heard = self._heard, {key_of(each): each.updated for each in clusters}
        return {key: self._since(key, heard.get(key), each) for each in clusters if (key := key_of(each))}

    def _since(self, key: str, heard: datetime | None, status: ClusterStatus) -> Moments:
        if heard is None:
            return self._board.past(key)
        return () if heard == status.updated or status.state == "starting" else (moment(status),)
