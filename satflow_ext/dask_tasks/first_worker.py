"""Wait for the first Dask worker of a cluster. Without one, tasks would wait permanently."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from satflow_ext.errors import ClusterNotStarted

if TYPE_CHECKING:
    from distributed import Client

CHECK_PERIOD = 0.2
"""Seconds between two checks."""

DEFAULT_TIMEOUT = 300.0
"""Default seconds to wait."""

FIX = "Increase start_timeout, request fewer resources, or check what keeps the Dask workers from starting."


def wait_for_worker(
    dask_client: Client,
    deadline: float,
    seconds: float = DEFAULT_TIMEOUT,
    read_reason: Callable[[], str | None] = lambda: None,
) -> None:
    """Wait until the cluster has a Dask worker. A submitted task provides load, without which an adaptive cluster starts none.

    Args:
        dask_client: client of the cluster.
        deadline: time to give up, on the monotonic clock.
        seconds: the timeout in the error message.
        read_reason: returns the reason for missing workers as text; may raise `ClusterFailed` if none can ever connect.

    Raises:
        ClusterNotStarted: no Dask worker connected in time.
    """
    if count_workers(dask_client):
        return
    demand = dask_client.submit(int, pure=False)
    try:
        while not count_workers(dask_client):
            reason = read_reason()
            if time.monotonic() > deadline:
                raise ClusterNotStarted(
                    f"The cluster had no Dask worker after {seconds:g} s{f': {reason}' if reason else ''}.", fix=FIX
                )
            time.sleep(CHECK_PERIOD)
    finally:
        demand.cancel()  # type: ignore[no-untyped-call]  # distributed is typed in part


def count_workers(dask_client: Client) -> int:
    """Count the connected Dask workers."""
    return len(dask_client.scheduler_info(n_workers=-1)["workers"])
