"""The record that describes a cluster provider: one way to get a Dask cluster for a flow run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from satflow_ext.gateways.worker_plan import WorkerPlan
from satflow_ext.models import JsonObject
from satflow_ext.settings import Settings

BACKEND_FIELD = "executor.options.backend"
OPTIONS_FIELD = "executor.options.backend_options"
"""Fields that errors point to: the name of the cluster provider, and its options."""


@dataclass(frozen=True)
class ProviderRequest(WorkerPlan):
    """A request for a cluster that ends with its flow run. `idle_timeout` ends a cluster whose flow run was killed.

    Args:
        backend: the name of the cluster provider.
        options: keyword arguments of the provider's class.
    """

    backend: str
    options: JsonObject


def options_as_arguments(request: ProviderRequest) -> dict[str, Any]:
    """Return the options as keyword arguments, for providers whose options are the arguments of their class."""
    return dict(request.options)


def accept_any_cluster(request: ProviderRequest, settings: Settings) -> None:
    """Accept every request, for providers that cannot check one in advance."""


@dataclass(frozen=True)
class MissingWorkers:
    """Requested Dask workers that have not connected: the reason as text, and the names of those that never will."""

    reason: str | None = None
    lost_names: frozenset[str] = frozenset()


def find_unconnected_workers(cluster: Any) -> dict[Any, Any]:
    """Return the started Dask workers of a `SpecCluster`, by name, that have not connected to the scheduler."""
    connected_names = {str(row["name"]) for row in dict(cluster.scheduler_info["workers"]).values()}
    return {name: each for name, each in dict(cluster.workers).items() if str(name) not in connected_names}


def accept_any_options(request: ProviderRequest) -> None:
    """Accept every request, for providers whose class validates the options."""


def report_none_missing(cluster: Any) -> MissingWorkers:
    """Report nothing, for providers that cannot find out what Dask workers are waiting for."""
    return MissingWorkers()


@dataclass(frozen=True)
class ClusterProvider:
    """One way to get a Dask cluster that lives as long as its flow run.

    Args:
        name: the name that users type.
        cluster_class: the class of the cluster, as `module:Class`, imported only in the flow run.
        make_arguments: returns the keyword arguments of the class; called in the flow run.
        install: the command that installs the requirements of the provider, if it needs more than SatFlow.
        owned_arguments: keyword arguments that SatFlow sets itself, each with the executor option that sets the same thing.
        has_sizes: whether the provider supports worker sizes.
        validate_request: raises if the request is invalid on every machine; does no I/O.
        check_availability: raises if a run on this machine could not get the cluster; called during registration, may do I/O.
        find_missing_workers: reports Dask workers that have not connected; raises `ClusterFailed` if none can ever connect.
    """

    name: str
    cluster_class: str
    make_arguments: Callable[[ProviderRequest], dict[str, Any]] = options_as_arguments
    install: str | None = None
    owned_arguments: dict[str, str] = field(default_factory=dict)
    has_sizes: bool = True
    validate_request: Callable[[ProviderRequest], None] = accept_any_options
    check_availability: Callable[[ProviderRequest, Settings], None] = accept_any_cluster
    find_missing_workers: Callable[[Any], MissingWorkers] = report_none_missing
