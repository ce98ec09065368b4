"""Peak usage of any Dask worker of a run, from the samples of its cluster."""

from __future__ import annotations

from datetime import datetime, timezone

from satflow_ext.executors.worker_usage import RunUsage
from satflow_ext.models import ClusterWorker


class PeakUsage:
    """The highest memory and core usage so far."""

    def __init__(self) -> None:
        self._memory = 0
        self._limit = 0
        self._cores = 0.0

    def add_sample(self, workers: tuple[ClusterWorker, ...]) -> None:
        """Include one sample."""
        for each in workers:
            self._memory = max(self._memory, each.memory)
            self._limit = max(self._limit, each.memory_limit)
            self._cores = max(self._cores, each.cpu / 100)

    def to_run_usage(self, worker_size: str | None) -> RunUsage | None:
        """Return the peak usage of the run, or None if no worker was sampled or none has a memory limit."""
        if not self._memory or not self._limit:
            return None
        return RunUsage(
            ended=datetime.now(timezone.utc),
            worker_size=worker_size,
            limit=self._limit,
            memory=self._memory,
            cores=self._cores,
        )
