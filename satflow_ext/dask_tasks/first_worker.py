"""The first Dask worker of a cluster: without one, tasks would wait for ever."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from satflow_ext.errors import ClusterNotStarted

if TYPE_CHECKING:
    from distributed import Client

LOOK = 0.2
"""Seconds between two looks."""

PATIENCE = 300.0
"""Seconds to wait where nobody says how long."""

FIX = "Give it more time (start_timeout), ask for less, or see what keeps its workers from starting."


def need_worker(
    dask_client: Client, until: float, seconds: float = PATIENCE, why: Callable[[], str | None] = lambda: None
) -> None:
    """Wait for it where there is none, with something for it to do: a cluster that follows the work has none before there is any.

    Args:
        dask_client: of the cluster.
        until: when to give up, on the monotonic clock.
        seconds: how long that was, to be told.
        why: what the worker waits for, in words; it may raise `ClusterFailed` where there is no hope.

    Raises:
        ClusterNotStarted: none came in time.
    """
    if workers_of(dask_client):
        return
    demand = dask_client.submit(int, pure=False)
    try:
        while not workers_of(dask_client):
            reason = why()
            if time.monotonic() > until:
                raise ClusterNotStarted(
                    f"The cluster had no Dask worker after {seconds:g} s{f': {reason}' if reason else ''}.", fix=FIX
                )
            time.sleep(LOOK)
    finally:
        demand.cancel()  # type: ignore[no-untyped-call]  # distributed is typed in part


def workers_of(dask_client: Client) -> int:
    """How many Dask workers have checked in."""
    return len(dask_client.scheduler_info(n_workers=-1)["workers"])
