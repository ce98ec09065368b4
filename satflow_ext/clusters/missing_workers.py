"""The requested number of Dask workers of a cluster, and the reason why some are missing."""

from __future__ import annotations

from typing import Any

from satflow_ext.clusters.status_builder import WorkerCounts


class MissingWorkerReason:
    """The Dask workers that have not connected; `why` is the latest reason as text."""

    reason: str | None = None

    def count_workers(self, cluster: Any) -> WorkerCounts:
        """Count the planned and requested Dask workers, which is possible only for clusters that keep a list of them.

        Args:
            cluster: the cluster object, such as a `distributed.LocalCluster`; None if only an address is available.
        """
        if not hasattr(cluster, "worker_spec"):
            return WorkerCounts(missing_reason=self.reason)
        try:
            return WorkerCounts(len(cluster.plan), len(cluster.requested), self.reason)
        except RuntimeError:  # the maintenance thread changed the list at the same time
            return WorkerCounts(missing_reason=self.reason)
