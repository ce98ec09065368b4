"""How many Dask workers a cluster should have, and what those that are missing wait for, by the object that has made it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from satflow_ext.clusters.told import Counts

ASK = 5.0
"""Seconds between two questions what workers wait for: it may take a command of a batch system to know."""


class Waits:
    """What the object says that has made a cluster.

    It may have a method `waiting_for` that tells, in words, why Dask workers that were asked for are not there yet.

    Args:
        cluster: such as a `distributed.LocalCluster`; None where only an address is known.
    """

    def __init__(self, cluster: Any) -> None:
        self._cluster = cluster
        self._why: Callable[[], str | None] = getattr(cluster, "waiting_for", lambda: None)
        self._asked_at = float("-inf")
        self._said: str | None = None

    def counts(self, observed: int) -> Counts:
        """How many there should be; only objects that keep a list of their Dask workers know.

        Args:
            observed: how many have checked in.
        """
        if not hasattr(self._cluster, "worker_spec"):
            return Counts(waiting=self._waiting())
        try:
            plan, requested = len(self._cluster.plan), len(self._cluster.requested)
        except RuntimeError:  # the list has just changed, in the thread that looks after it
            return Counts()
        return Counts(plan, requested, self._waiting() if observed < plan else None)

    def _waiting(self) -> str | None:
        if time.monotonic() >= self._asked_at + ASK:
            self._asked_at, self._said = time.monotonic(), self._why()
        return self._said
