"""Whether the machines of a Ray cluster reach the Prefect API: one on loopback, as the local stack's is, many do not."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from satflow_ext.dask_tasks.prefect_from_there import CONNECT, api_on_loopback
from satflow_ext.errors import ClusterFailed

PATIENCE = 60.0
"""Seconds that Ray may take to start a process on each machine."""
FIX = "Give the settings a Prefect server that its machines reach too (prefect_api_url)."


def need_prefect(address: str) -> None:
    """Refuse a cluster of which a machine cannot connect to the Prefect API: each task there would crash.

    Args:
        address: how the cluster is called in messages; this process is connected to it.

    Raises:
        ClusterFailed: one cannot, or nothing starts there.
    """
    url = api_on_loopback()
    if url is None:
        return
    where = urlsplit(url)
    asked = [
        ray.remote(_reaching())
        .options(num_cpus=0, scheduling_strategy=_on(node["NodeID"]))
        .remote(where.hostname, where.port)
        for node in ray.nodes()
        if node["Alive"] and node["Resources"].get("CPU")
    ]
    try:
        reached = ray.get(asked, timeout=PATIENCE)
    except ray.exceptions.RayError as error:
        said = f"The Ray cluster at {address} runs nothing: {type(error).__name__}."
        raise ClusterFailed(said, fix="See in its own log and dashboard what its machines do.") from None
    if not all(reached):
        said = f"A machine of the Ray cluster at {address} does not reach the Prefect API of the local stack."
        raise ClusterFailed(said, fix=FIX)


def _on(node: str) -> NodeAffinitySchedulingStrategy:
    return NodeAffinitySchedulingStrategy(node, soft=False)


def _reaching() -> Callable[..., bool]:
    """A function that travels by value: the cluster's machines need nothing of this package."""

    def reaches(host: str, port: int, patience: float = CONNECT) -> bool:
        import socket

        try:
            socket.create_connection((host, port), patience).close()
        except OSError:
            return False
        return True

    return reaches
