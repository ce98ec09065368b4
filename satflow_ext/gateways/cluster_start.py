"""Start of a gateway cluster: create it, wait for its scheduler, join it, scale it, and check that its versions match."""

from __future__ import annotations

import asyncio
import platform
import time
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from satflow_ext.errors import ClusterNotStarted, GatewayRefused, PackageMismatch, PythonMismatch
from satflow_ext.gateways import shared_clusters
from satflow_ext.gateways.cluster_request import GatewayClusterRequest, set_options
from satflow_ext.gateways.connection import ignore_user_configuration, prevent_second_close, read_cluster_options
from satflow_ext.settings import Settings

if TYPE_CHECKING:
    from dask_gateway import Gateway, GatewayCluster
    from dask_gateway.client import ClusterReport

CHECK_PERIOD = 0.1
"""Seconds between two checks."""
PROBE_TIMEOUT = 3.0
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
    def has_passed(self) -> bool:
        """True after the time limit."""
        return time.monotonic() > self._end

    def wait_for(self, condition: Callable[[], bool], missing_part: str) -> None:
        """Wait until the condition is true.

        Args:
            condition: the condition.
            missing_part: the missing part, for the message.

        Raises:
            ClusterNotStarted: the time limit passed.
        """
        while not condition():
            if self.has_passed:
                fix = "Increase start_timeout, or check the Dask Gateway's log."
                raise ClusterNotStarted(f"The cluster had {missing_part} after {self.seconds:g} s.", fix=fix)
            time.sleep(CHECK_PERIOD)


def start_cluster(
    gateway: Gateway, request: GatewayClusterRequest, label: str | None, settings: Settings
) -> GatewayCluster:
    """Return a cluster that matches the request and is ready for tasks: the existing one with this label, or a new one.

    Raises:
        ClusterNotStarted: the cluster is not ready.
        GatewayRefused: the gateway does not offer such a cluster.
        SizeRefused: the gateway does not offer this worker size.
    """
    deadline = Deadline(request.start_timeout)
    while True:
        name, made = _find_or_submit(gateway, request, label, settings)
        try:
            return _prepare_cluster(gateway, name, request, deadline)
        except ClusterNotStarted:
            if made:
                _stop_cluster(gateway, name)
            if made or deadline.has_passed:
                raise
            time.sleep(CHECK_PERIOD)  # it ended before it was joined, or the gateway has not detected its crash yet
        except BaseException:  # also an interrupt: a cluster created by this call must not remain
            if made:
                _stop_cluster(gateway, name)
            raise


def _find_or_submit(
    gateway: Gateway, request: GatewayClusterRequest, label: str | None, settings: Settings
) -> tuple[str, bool]:
    options = read_cluster_options(gateway)
    chosen = set_options(options, request, label)
    if label is None:
        return shared_clusters.submit_cluster(gateway, options), True
    with shared_clusters.lock_label(label, settings):
        return shared_clusters.find_or_create_cluster(gateway, options, chosen, label)


def _prepare_cluster(gateway: Gateway, name: str, request: GatewayClusterRequest, deadline: Deadline) -> GatewayCluster:
    cluster = join_cluster(gateway, name, deadline)
    try:
        provide_workers(cluster, request, deadline)
    except BaseException:
        release_cluster(cluster)
        raise
    return cluster


def _stop_cluster(gateway: Gateway, name: str) -> None:
    with suppress(ValueError):  # it has been removed already
        gateway.stop_cluster(name)


def join_cluster(gateway: Gateway, name: str, deadline: Deadline) -> GatewayCluster:
    """Wait for the scheduler of the cluster with this name and connect. Closing the object does not end the cluster.

    Raises:
        ClusterNotStarted: the cluster failed, was ended, or was not ready in time.
    """
    from dask_gateway import GatewayClusterError

    deadline.wait_for(lambda: _is_running(gateway, name), "no scheduler")
    try:
        with ignore_user_configuration(gateway.address):
            cluster = gateway.connect(name, shutdown_on_close=False)
    except GatewayClusterError:
        raise ClusterNotStarted("The cluster ended.", fix=SEE_LOG) from None
    cluster.dashboard_link = None  # Prefect's task runner would write it into the run's log
    return cluster


def release_cluster(cluster: GatewayCluster) -> None:
    """Close this process's connections to the cluster, which keeps running."""
    cluster.close()
    prevent_second_close(cluster.gateway)


def provide_workers(cluster: GatewayCluster, request: GatewayClusterRequest, deadline: Deadline) -> None:
    """Request the Dask workers, unless the cluster has some already, and wait for the first one.

    Raises:
        GatewayRefused: the gateway allows fewer Dask workers.
        ClusterNotStarted: no Dask worker connected in time.
        PythonMismatch: the cluster has a different Python version.
        PackageMismatch: the cluster has a different version of distributed.
    """
    try:
        if not count_workers(cluster):
            resize_cluster(cluster, request.workers, request.minimum, request.maximum)
            if request.initial_workers:
                deadline.wait_for(lambda: count_workers(cluster) > 0, "no Dask worker")
        _check_versions(cluster.gateway.sync(cluster.scheduler_comm.versions))
    except OSError as error:  # such as `CommClosedError`
        raise ClusterNotStarted(
            f"The cluster's scheduler does not answer: {type(error).__name__}.", fix=SEE_LOG
        ) from None


def resize_cluster(cluster: GatewayCluster, workers: int | None, minimum: int, maximum: int | None) -> None:
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


def _is_running(gateway: Gateway, name: str) -> bool:
    report = gateway.get_cluster(name)
    status = report.status.name
    if status in ("PENDING", "RUNNING"):
        return status == "RUNNING" and bool(gateway.sync(_is_scheduler_answering, report))
    raise ClusterNotStarted(f"The cluster is {status.lower()}.", fix=SEE_LOG)


async def _is_scheduler_answering(report: ClusterReport) -> bool:
    """Return whether the scheduler answers. A gateway detects a crashed scheduler only after some seconds."""
    from distributed.core import rpc

    arguments = report.security.get_connection_args("client")
    scheduler: Any = rpc(report.scheduler_address, connection_args=arguments, timeout=PROBE_TIMEOUT)  # type: ignore[no-untyped-call]
    try:
        await asyncio.wait_for(scheduler.ncores(), PROBE_TIMEOUT)
    except (OSError, asyncio.TimeoutError):
        return False
    finally:
        await scheduler.close_rpc()
    return True


def count_workers(cluster: GatewayCluster) -> int:
    """Count the connected Dask workers.

    Raises:
        OSError: the scheduler does not answer.
    """
    return len(cluster.gateway.sync(cluster.scheduler_comm.ncores))


def _check_versions(versions: Mapping[str, Any]) -> None:
    """Refuse other versions: a pickle of another Python can crash its reader, and Dask's parts need the same version."""
    from importlib.metadata import version

    fix = "Register from an environment like the Dask Gateway's."
    cluster_version, own_version = (
        ".".join(str(versions["host"]["python"]).split(".")[:2]),
        ".".join(platform.python_version_tuple()[:2]),
    )
    if cluster_version != own_version:
        raise PythonMismatch(f"The cluster has Python {cluster_version}, this flow run Python {own_version}.", fix=fix)
    cluster_version, own_version = str(versions["packages"].get("distributed")), version("distributed")
    if cluster_version != own_version:
        raise PackageMismatch(f"The cluster has distributed {cluster_version}, this flow run {own_version}.", fix=fix)
