"""How many Dask workers a cluster should have, and what those that are missing wait for."""

from __future__ import annotations

from typing import Any

from satflow_ext.clusters.status_builder import Counts


class Waits:
    """What is known of Dask workers that have not checked in.

    `why` is what was said last of those that are missing, in words.
    """

    why: str | None = None

    def counts(self, cluster: Any) -> Counts:
        """How many there should be; only clusters that keep a list of their Dask workers know.

        Args:
            cluster: the object that has made it, such as a `distributed.LocalCluster`; None where only an address is known.
        """
        if not hasattr(cluster, "worker_spec"):
            return Counts(waiting=self.why)
        try:
            return Counts(len(cluster.plan), len(cluster.requested), self.why)
        except RuntimeError:  # the list has just changed, in the thread that looks after it
            return Counts(waiting=self.why)
