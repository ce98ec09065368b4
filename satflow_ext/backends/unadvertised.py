"""A cluster object that says nothing of its dashboard: Prefect's task runner would write that address into the run's log."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from satflow_ext.backends.keeping import Keeper


class Unadvertised:
    """A `distributed.deploy.Cluster` as it is, but for its dashboard.

    Args:
        cluster: that cluster.
        keeper: who looks after it.
    """

    dashboard_link = None

    def __init__(self, cluster: Any, keeper: Keeper) -> None:
        self._cluster = cluster
        self._keeper = keeper

    def waiting_for(self) -> str | None:
        """Why Dask workers that were asked for are not there yet."""
        return self._keeper.why

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cluster, name)

    def __await__(self) -> Generator[Any, Any, Unadvertised]:
        yield from self._cluster.__await__()
        return self
