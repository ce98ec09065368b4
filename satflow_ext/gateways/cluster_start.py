"""Start of a gateway cluster: wait for its scheduler, join it, scale it, and check that its versions match."""

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
"""Seconds between two checks."""
PROBE = 3.0
"""Seconds that a scheduler has to answer before the next attempt."""
SEE_LOG = "Check the Dask Gateway's log for the reason."


class Deadline:
    """A time limit for an operation.

    Args:
        seconds: time from now.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    @property
    def passed(self) -> bool:
        """True after the time limit."""
        return time.monotonic() > self._end

    def wait_for(self, done: Callable[[], bool], what: str) -> None:
        """Wait until the condition is true.

        Args:
            done: the condition.
            what: the missing part, for the message.

        Raises:
            ClusterNotStarted: the time limit passed.
        """
        while not done():
            if self.passed:
                fix = "Increase start_timeout, or check the Dask Gateway's log."
                raise ClusterNotStarted(f"The cluster had {what} after {self.seconds:g} s.", fix=fix)
            time.sleep(LOOK)


def joined(gateway: Gateway, name: str, deadline: Deadline) -> GatewayCluster:
    """Wait for the scheduler of the cluster with this name and connect. Closing the object does not end the cluster.

    Raises:
        ClusterNotStarted: the cluster failed, was ended, or was not ready in time.
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
    """Close this process's connections to the cluster, which keeps running."""
    cluster.close()
    disarm(cluster.gateway)


def furnish(cluster: GatewayCluster, wanted: Wanted, deadline: Deadline) -> None:
    """Request the Dask workers, unless the cluster has some already, and wait for the first one.

    Raises:
        GatewayRefused: the gateway allows fewer Dask workers.
        ClusterNotStarted: no Dask worker connected in time.
        PythonMismatch: the cluster has a different Python version.
        PackageMismatch: the cluster has a different version of distributed.
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
    """Request a fixed number of Dask workers, or a number that adapts to the load.

    Raises:
        GatewayRefused: the gateway allows fewer Dask workers.
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
            raise GatewayRefused(f"The Dask Gateway allows fewer Dask workers: {error}", fix="Choose fewer.") from None


def _runs(gateway: Gateway, name: str) -> bool:
    report = gateway.get_cluster(name)
    status = report.status.name
    if status in ("PENDING", "RUNNING"):
        return status == "RUNNING" and bool(gateway.sync(_answers, report))
    raise ClusterNotStarted(f"The cluster is {status.lower()}.", fix=SEE_LOG)


async def _answers(report: ClusterReport) -> bool:
    """Return whether the scheduler answers. A gateway detects a crashed scheduler only after some seconds."""
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
    """Count the connected Dask workers.

    Raises:
        OSError: the scheduler does not answer.
    """
    return len(cluster.gateway.sync(cluster.scheduler_comm.ncores))


def _check_versions(said: Mapping[str, Any]) -> None:
    """Refuse other versions: a pickle of another Python can crash its reader, and Dask's parts need the same version."""
    from importlib.metadata import version

    fix = "Register from an environment like the Dask Gateway's."
    theirs, ours = ".".join(str(said["host"]["python"]).split(".")[:2]), ".".join(platform.python_version_tuple()[:2])
    if theirs != ours:
        raise PythonMismatch(f"The cluster has Python {theirs}, this flow run Python {ours}.", fix=fix)
    theirs, ours = str(said["packages"].get("distributed")), version("distributed")
    if theirs != ours:
        raise PackageMismatch(f"The cluster has distributed {theirs}, this flow run {ours}.", fix=fix)
