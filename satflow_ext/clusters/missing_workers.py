"""The requested number of Dask workers of a cluster, and the reason why some are missing."""

from __future__ import annotations

from typing import Any

from satflow_ext.clusters.status_builder import Counts


class Waits:
    """The Dask workers that have not connected; `why` is the latest reason as text."""

    why: str | None = None

    def counts(self, cluster: Any) -> Counts:
        """Count the planned and requested Dask workers, which is possible only for clusters that keep a list of them.

        Args:
            cluster: the cluster object, such as a `distributed.LocalCluster`; None if only an address is available.
        """
        if not hasattr(cluster, "worker_spec"):
            return Counts(waiting=self.why)
        try:
            return Counts(len(cluster.plan), len(cluster.requested), self.why)
        except RuntimeError:  # the maintenance thread changed the list at the same time
            return Counts(waiting=self.why)
