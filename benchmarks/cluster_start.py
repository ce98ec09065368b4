"""A run's way to the result of its first Dask task: on a cluster of its own started cold, on a warm one, and peers.

The peer of the cold start is dask-gateway without SatFlow, of the warm one a `LocalCluster`, which is what Prefect's Dask task
runner starts for each run by default. Measured in this process, without the start of a flow run's own, which all of them have.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any

from distributed import Client, LocalCluster
from figure import p50, report
from places import own_stack

from satflow_ext.gateways.cluster_factory import use_cluster
from satflow_ext.gateways.cluster_request import GatewayClusterRequest
from satflow_ext.gateways.connection import connect_gateway, locate_gateway, prevent_second_close
from satflow_ext.settings import GIB, Settings

COLD, WARM = 3, 15
WANTED = GatewayClusterRequest(
    1, 0, None, None, 1, GIB // 2, 0, idle_timeout=600, start_timeout=120, gateway="", python=sys.executable
)


def first_result(cluster: Callable[[], AbstractContextManager[Any]]) -> float:
    """Milliseconds from nothing to the result of a task; what comes after it is not counted."""
    begun = time.perf_counter()
    with cluster() as entered, Client(entered, set_as_default=False) as dask_client:
        dask_client.submit(sum, [1, 2]).result()
        return 1000 * (time.perf_counter() - begun)


@contextmanager
def bare(settings: Settings) -> Iterator[Any]:
    """A new cluster by dask-gateway's own client, with the same options."""
    with locate_gateway("", settings) as where, connect_gateway(where) as gateway:
        options = gateway.cluster_options(use_local_defaults=False)
        options.update(python=WANTED.python, worker_memory=0.5)
        made = gateway.new_cluster(cluster_options=options)
        made.scale(1)
        yield made
        made.shutdown()
        prevent_second_close(made.gateway)


def main(settings: Settings) -> None:
    """Measure all of them, in turn."""
    own = lambda: use_cluster(replace(WANTED), None, settings, autoclose=False)  # noqa: E731
    warm = lambda: use_cluster(WANTED, "bench", settings, autoclose=False)  # noqa: E731
    local = lambda: LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None)  # noqa: E731
    first_result(own)  # the gateway itself starts with it
    cold, peers = zip(*[(first_result(own), first_result(lambda: bare(settings))) for _ in range(COLD)], strict=True)
    report("cluster-start.cold", p50(cold), p50(peers), n=COLD)
    first_result(warm)
    ours = [first_result(warm) for _ in range(WARM)]
    report("cluster-start.warm", p50(ours), p50([first_result(local) for _ in range(5)]), n=WARM)


if __name__ == "__main__":
    with own_stack() as (_, here):
        main(here)
