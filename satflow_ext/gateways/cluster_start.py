"""From the name of a cluster to one that works: waited for, joined, given its Dask workers, and refused where it does not fit."""

from __future__ import annotations

import asyncio
import platform
import time
import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from satflow_ext.errors import ClusterNotStarted, GatewayRefused, PackageMismatch, PythonMismatch
from satflow_ext.gateways.cluster_request import Wanted
from satflow_ext.gateways.connection import disarm, only_ours

if TYPE_CHECKING:
    from dask_gateway import Gateway, GatewayCluster
    from dask_gateway.client import ClusterReport

LOOK = 0.1
"""Seconds between two looks."""
PROBE = 3.0
"""Seconds that a scheduler has to answer; it is asked again."""
SEE_LOG = "The Dask Gateway's log says why."


class Deadline:
    """A point in time until which something must have happened.

    Args:
        seconds: from now.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    @property
    def passed(self) -> bool:
        """Whether it is over."""
        return time.monotonic() > self._end

    def wait_for(self, done: Callable[[], bool], what: str) -> None:
        """Wait until it is done.

        Raises:
            ClusterNotStarted: it was not in time.
        """
        while not done():
            if self.passed:
                fix = "Give it more time (start_timeout), or see what the Dask Gateway says of it."
                raise ClusterNotStarted(f"The cluster had {what} after {self.seconds:g} s.", fix=fix)
            time.sleep(LOOK)


def joined(gateway: Gateway, name: str, deadline: Deadline) -> GatewayCluster:
    """The cluster of that name, once its scheduler runs. Closing the object leaves the cluster alone.

    Raises:
        ClusterNotStarted: it failed, was ended, or was not ready in time.
    """
    from dask_gateway import GatewayClusterError

    deadline.wait_for(lambda: _runs(gateway, name), "no scheduler")
    try:
        with only_ours(gateway.address):
            cluster = gateway.connect(name, shutdown_on_close=False)
    except GatewayClusterError:
        raise ClusterNotStarted("The cluster ended.", fix=SEE_LOG) from None
    cluster.dashboard_link = None  # Prefect's task runner would write it into the run's log
    return cluster


def let_go(cluster: GatewayCluster) -> None:
    """Close what holds the cluster in this process; the cluster itself goes on."""
    cluster.close()
    disarm(cluster.gateway)


def furnish(cluster: GatewayCluster, wanted: Wanted, deadline: Deadline) -> None:
    """Let it have the Dask workers that are wanted, unless it has some, and wait for the first.

    Raises:
        GatewayRefused: it may not have so many.
        ClusterNotStarted: none came in time.
        PythonMismatch: its Python is not this one.
        PackageMismatch: its distributed is not this one.
    """
    try:
        if not workers_of(cluster):
            resize(cluster, wanted.workers, wanted.minimum, wanted.maximum)
            if wanted.first_workers:
                deadline.wait_for(lambda: workers_of(cluster) > 0, "no Dask worker")
        _check_versions(cluster.gateway.sync(cluster.scheduler_comm.versions))
    except OSError as error:  # such as `CommClosedError`
        raise ClusterNotStarted(
            f"The cluster's scheduler does not answer: {type(error).__name__}.", fix=SEE_LOG
        ) from None


def resize(cluster: GatewayCluster, workers: int | None, minimum: int, maximum: int | None) -> None:
    """A number of Dask workers, or as many as there is work for.

    Raises:
        GatewayRefused: the gateway gives fewer.
    """
    from dask_gateway import GatewayWarning

    with warnings.catch_warnings():
        warnings.simplefilter("error", GatewayWarning)
        try:
            if workers is not None:
                cluster.scale(workers)
            else:
                cluster.adapt(minimum=minimum, maximum=maximum)
        except GatewayWarning as error:
            raise GatewayRefused(f"The Dask Gateway gives fewer Dask workers: {error}", fix="Choose fewer.") from None


def _runs(gateway: Gateway, name: str) -> bool:
    report = gateway.get_cluster(name)
    status = report.status.name
    if status in ("PENDING", "RUNNING"):
        return status == "RUNNING" and bool(gateway.sync(_answers, report))
    raise ClusterNotStarted(f"The cluster is {status.lower()}.", fix=SEE_LOG)


async def _answers(report: ClusterReport) -> bool:
    """Whether the scheduler does: a gateway notices only after some seconds that one has died."""
    from distributed.core import rpc

    arguments = report.security.get_connection_args("client")
    scheduler: Any = rpc(report.scheduler_address, connection_args=arguments, timeout=PROBE)  # type: ignore[no-untyped-call]
    try:
        await asyncio.wait_for(scheduler.ncores(), PROBE)
    except (OSError, asyncio.TimeoutError):
        return False
    finally:
        await scheduler.close_rpc()
    return True


def workers_of(cluster: GatewayCluster) -> int:
    """How many Dask workers have checked in.

    Raises:
        OSError: the scheduler does not answer.
    """
    return len(cluster.gateway.sync(cluster.scheduler_comm.ncores))


def _check_versions(said: Mapping[str, Any]) -> None:
    """A pickle of another Python can crash who reads it, and Dask's parts speak only to those of their own version."""
    from importlib.metadata import version

    fix = "Register from an environment like the Dask Gateway's."
    theirs, ours = ".".join(str(said["host"]["python"]).split(".")[:2]), ".".join(platform.python_version_tuple()[:2])
    if theirs != ours:
        raise PythonMismatch(f"The cluster has Python {theirs}, this flow run Python {ours}.", fix=fix)
    theirs, ours = str(said["packages"].get("distributed")), version("distributed")
    if theirs != ours:
        raise PackageMismatch(f"The cluster has distributed {theirs}, this flow run {ours}.", fix=fix)
