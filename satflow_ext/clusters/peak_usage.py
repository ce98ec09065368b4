"""The most that any Dask worker of a run used, from the samples of its cluster."""

from __future__ import annotations

from datetime import datetime, timezone

from satflow_ext.executors.worker_usage import Need
from satflow_ext.models import ClusterWorker


class Peak:
    """Memory and cores at their highest so far."""

    def __init__(self) -> None:
        self._memory = 0
        self._limit = 0
        self._cores = 0.0

    def see(self, workers: tuple[ClusterWorker, ...]) -> None:
        """Take one sample into account."""
        for each in workers:
            self._memory = max(self._memory, each.memory)
            self._limit = max(self._limit, each.memory_limit)
            self._cores = max(self._cores, each.cpu / 100)

    def need(self, worker_size: str | None) -> Need | None:
        """What that says of the run; None where no worker was seen, or none has a limit."""
        if not self._memory or not self._limit:
            return None
        return Need(
            ended=datetime.now(timezone.utc),
            worker_size=worker_size,
            limit=self._limit,
            memory=self._memory,
            cores=self._cores,
        )
