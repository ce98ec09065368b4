"""The cluster of a single flow run, called by a Dask task runner: create it, scale it, maintain it, and close it."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from contextvars import copy_context
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from satflow_ext import endpoints
from satflow_ext.cluster_providers import find_provider, missing_worker_reasons, signature
from satflow_ext.cluster_providers.address_redaction import redact_addresses
from satflow_ext.cluster_providers.cluster_creation import ClusterCreation, close_cluster, run_log
from satflow_ext.cluster_providers.dask_defaults import LOST_WORKER_TIMEOUT, NO_HTTP_ROUTES
from satflow_ext.cluster_providers.provider import ClusterProvider, ProviderRequest
from satflow_ext.dask_tasks.first_worker import wait_for_worker
from satflow_ext.errors import ClusterFailed, ClusterNotStarted
from satflow_ext.gateways import worker_guard
from satflow_ext.redaction import guard

if TYPE_CHECKING:
    from distributed import Client

ENCRYPTED_SCHEMES = ("tls", "wss", "inproc")
PERIOD = 5.0
"""Seconds between two checks."""
FIRST_DELAY = 1.0
"""Seconds until the first check."""
log = logging.getLogger(__name__)
_closing: set[asyncio.Future[None]] = set()


@contextmanager
def start_run_cluster(*, request: Mapping[str, Any]) -> Iterator[HiddenDashboard]:
    """Start a cluster for this flow run, and close it when the block ends.

    Args:
        request: the fields of `ProviderRequest`.

    Raises:
        ClusterFailed: the cluster could not start; the subclass gives the reason. Partial clusters were cleaned up.
    """
    import dask

    provider_request = ProviderRequest(**request)
    back_end = find_provider(provider_request.backend)
    until = time.monotonic() + provider_request.start_timeout
    dask.config.set({**NO_HTTP_ROUTES, **LOST_WORKER_TIMEOUT})
    cluster = ClusterCreation(back_end.cluster_class, _class_arguments(back_end, provider_request)).create_cluster(
        provider_request.start_timeout
    )
    try:
        with (
            _connect_client(cluster, until) as dask_client,
            maintain_cluster(cluster, dask_client, back_end, provider_request) as keeper,
        ):
            provide_workers(cluster, dask_client, back_end, provider_request, until, keeper)
            guard_workers(dask_client)
            yield HiddenDashboard(cluster)
    finally:
        close_cluster(cluster)


def _class_arguments(back_end: ClusterProvider, request: ProviderRequest) -> dict[str, Any]:
    """Return the arguments of the class, with the number of Dask workers and the idle timeout if the class has them.

    During creation nothing resets the scheduler's idle timer, so the idle timeout is at least as long as `start_timeout`.
    """
    arguments = back_end.make_arguments(request)
    try:
        known = signature.read_parameters(signature.import_class(back_end.cluster_class)).named
    except (ImportError, AttributeError, TypeError, ValueError):  # creating the cluster reports the error
        return arguments
    offered = {"n_workers": request.initial_workers, "idle_timeout": max(request.idle_timeout, request.start_timeout)}
    return {name: value for name, value in offered.items() if name in known} | arguments


@contextmanager
def _connect_client(cluster: Any, deadline: float) -> Iterator[Client]:
    from distributed import Client

    try:
        client = Client(cluster, timeout=_remaining_seconds(deadline), set_as_default=False)  # type: ignore[no-untyped-call]
    except OSError as error:
        raise ClusterNotStarted(f"The cluster's scheduler does not answer: {redact_addresses(str(error))}.") from None
    try:
        yield client
    finally:
        client.close()  # type: ignore[no-untyped-call]  # distributed is typed in part


def provide_workers(
    cluster: Any,
    dask_client: Client,
    back_end: ClusterProvider,
    request: ProviderRequest,
    deadline: float,
    keeper: ClusterMaintainer,
) -> None:
    """Scale the cluster to the requested Dask workers and wait for the first one.

    Raises:
        ClusterFailed: the cluster cannot be scaled, or no Dask worker connected in time.
    """

    def read_reason() -> str | None:
        if keeper.fatal_error:
            raise keeper.fatal_error
        return keeper.reason

    _scale_cluster(cluster, back_end, request)
    wait_for_worker(dask_client, deadline, request.start_timeout, read_reason)


def _scale_cluster(cluster: Any, back_end: ClusterProvider, request: ProviderRequest) -> None:
    if not getattr(cluster, "_supports_scaling", True) or not hasattr(cluster, "scale"):
        raise ClusterNotStarted(
            f"Clusters of {back_end.name} cannot be scaled to a number of Dask workers.",
            fix="Choose a class whose clusters can be scaled.",
        )
    if request.workers is not None:
        cluster.scale(request.workers)
    else:
        cluster.adapt(minimum=request.minimum, maximum=request.maximum)


def _remaining_seconds(deadline: float) -> float:
    return max(deadline - time.monotonic(), 1.0)


class HiddenDashboard:
    """A proxy of a `distributed.deploy.Cluster` that hides its dashboard link, which Prefect's task runner would log.

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


def guard_workers(dask_client: Client) -> None:
    """Install the redaction guard on the Dask workers if this flow run needs it. Unencrypted connections carry no secrets."""
    address = dask_client.scheduler_info()["address"]
    if is_private_address(address):
        worker_guard.guard_workers(dask_client)
    elif guard.is_redaction_needed():
        run_log().warning(
            "The cluster's connections are not encrypted, so its Dask workers get no secrets of this flow run."
        )


def is_private_address(address: str) -> bool:
    """Return whether a connection to this address is encrypted or stays on this machine."""
    return urlsplit(address).scheme in ENCRYPTED_SCHEMES or endpoints.is_on_loopback(address)


class ClusterMaintainer:
    """Maintains one cluster.

    Args:
        cluster: the cluster object.
        dask_client: a client of the cluster.
        back_end: the cluster provider.
    """

    def __init__(self, cluster: Any, dask_client: Client, back_end: ClusterProvider) -> None:
        self._cluster = cluster
        self._dask_client = dask_client
        self._back_end = back_end
        self._logged_reason: str | None = None
        self.reason: str | None = None
        """Text that explains why Dask workers are missing; None if none are missing or the reason is unknown."""
        self.fatal_error: ClusterFailed | None = None
        """The error if no Dask worker can ever connect."""

    def check_once(self) -> None:
        """Reset the scheduler's idle timer once, find missing Dask workers, and replace lost ones."""
        try:
            if self._dask_client.status == "running":
                self._dask_client.run_on_scheduler(_make_idle_reset())  # type: ignore[no-untyped-call]  # typed in part
            self._check_missing_workers()
        except ClusterFailed as error:
            self.fatal_error = error
        except (OSError, RuntimeError, ValueError):  # raised by a distributed client that has lost its scheduler
            log.debug("The cluster does not answer.", exc_info=True)

    def _check_missing_workers(self) -> None:
        missing = self._back_end.find_missing_workers(self._cluster)
        self.reason, self.fatal_error = missing.reason, None
        missing_worker_reasons.report_reason(missing.reason)
        if missing.reason and missing.reason != self._logged_reason:
            run_log().info("Dask workers are missing: %s.", missing.reason)
            self._logged_reason = missing.reason
        _schedule_replacement(self._cluster, missing.lost_names)


@contextmanager
def maintain_cluster(
    cluster: Any, dask_client: Client, back_end: ClusterProvider, request: ProviderRequest
) -> Iterator[ClusterMaintainer]:
    """Maintain a cluster as requested until the block ends."""
    stop, keeper = threading.Event(), ClusterMaintainer(cluster, dask_client, back_end)
    period = min(PERIOD, request.idle_timeout / 4)
    context = copy_context()  # a new thread has no run context
    thread = threading.Thread(
        target=context.run, args=(_run_maintenance, keeper, period, stop), name="satflow-cluster-keeper", daemon=True
    )
    thread.start()
    try:
        yield keeper
    finally:
        stop.set()
        thread.join(timeout=5)


def _run_maintenance(keeper: ClusterMaintainer, period: float, stop: threading.Event) -> None:
    wait = min(FIRST_DELAY, period)
    while not stop.wait(wait):
        keeper.check_once()
        wait = period


def _schedule_replacement(cluster: Any, lost_names: frozenset[str]) -> None:
    from distributed.deploy.spec import SpecCluster

    if isinstance(cluster, SpecCluster) and cluster.new_spec and cluster.loop:
        cluster.loop.add_callback(_replace_lost_workers, cluster, lost_names)


def _replace_lost_workers(cluster: Any, lost_names: frozenset[str]) -> None:
    """Start replacements for lost Dask workers up to the requested number. Runs in the cluster's own thread, like `adapt`."""
    for worker in filter(None, (cluster.workers.pop(name, None) for name in lost_names)):
        _closing.add(asyncio.ensure_future(worker.close()))
    if cluster.worker_spec.keys() - cluster.workers.keys():
        cluster.scale(len(cluster.worker_spec))


def _make_idle_reset() -> Any:
    """Return a function that is pickled by value, because the scheduler may not have this package installed.

    The idle timeout considers only tasks and would end the cluster of a flow that waits between two of them. A killed flow
    run stops resetting the timer, so its cluster still ends.
    """

    def in_use(dask_scheduler: Any) -> None:
        dask_scheduler.idle_since = None

    return in_use
