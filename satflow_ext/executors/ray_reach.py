"""Check that the machines of a Ray cluster can reach the Prefect API. Most cannot reach the local stack's, on loopback."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from satflow_ext.dask_tasks.prefect_from_there import CONNECT_TIMEOUT, find_loopback_api
from satflow_ext.errors import ClusterFailed

START_TIMEOUT = 60.0
"""Seconds for Ray to start a process on each machine."""
FIX = "Set prefect_api_url to a Prefect server that the machines of the cluster can reach."


def require_prefect_access(address: str) -> None:
    """Check that the machines can connect to the Prefect API; tasks on one that cannot would crash.

    Args:
        address: the cluster's address for messages. This process is connected to the cluster.

    Raises:
        ClusterFailed: a machine cannot connect, or no process starts there.
    """
    url = find_loopback_api()
    if url is None:
        return
    where = urlsplit(url)
    connection_tests = [
        ray.remote(_make_connection_test())
        .options(num_cpus=0, scheduling_strategy=_on_node(node["NodeID"]))
        .remote(where.hostname, where.port)
        for node in ray.nodes()
        if node["Alive"] and node["Resources"].get("CPU")
    ]
    try:
        reached = ray.get(connection_tests, timeout=START_TIMEOUT)
    except ray.exceptions.RayError as error:
        message = f"The Ray cluster at {address} cannot run tasks: {type(error).__name__}."
        raise ClusterFailed(message, fix="Check the cluster's log and dashboard.") from None
    if not all(reached):
        message = f"A machine of the Ray cluster at {address} cannot reach the Prefect API of the local stack."
        raise ClusterFailed(message, fix=FIX)


def _on_node(node: str) -> NodeAffinitySchedulingStrategy:
    return NodeAffinitySchedulingStrategy(node, soft=False)


def _make_connection_test() -> Callable[..., bool]:
    """Return a function that is pickled by value, because the cluster's machines may not have this package installed."""

    def reaches(host: str, port: int, patience: float = CONNECT_TIMEOUT) -> bool:
        import socket

        try:
            socket.create_connection((host, port), patience).close()
        except OSError:
            return False
        return True

    return reaches
