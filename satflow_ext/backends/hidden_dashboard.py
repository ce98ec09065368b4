"""A cluster object without a dashboard link, because Prefect's task runner would write that address to the run's log."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any


class HiddenDashboard:
    """A proxy of a `distributed.deploy.Cluster` that hides its dashboard link.

    Args:
        cluster: the cluster object.
    """

    dashboard_link = None

    def __init__(self, cluster: Any) -> None:
        self._cluster = cluster

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cluster, name)

    def __await__(self) -> Generator[Any, Any, HiddenDashboard]:
        yield from self._cluster.__await__()
        return self
