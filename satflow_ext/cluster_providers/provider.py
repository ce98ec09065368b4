"""The record that describes a cluster provider: one way to get a Dask cluster for flow runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from satflow_ext.gateways.worker_plan import WorkerPlan
from satflow_ext.models import JsonObject
from satflow_ext.settings import Settings

BACKEND_FIELD = "executor.options.backend"
OPTIONS_FIELD = "executor.options.backend_options"
"""Fields that errors point to: the name of the cluster provider, and its options."""


@dataclass(frozen=True)
class ProviderRequest(WorkerPlan):
    """A request for a cluster of a provider. `idle_timeout` also ends a cluster whose flow run was killed.

    Args:
        backend: the name of the cluster provider.
        options: keyword arguments of the provider's class.
        gateway: name of a Dask Gateway in the settings; "" for the local stack's gateway.
        shared: whether all runs of the deployment use the cluster; otherwise it ends with its flow run.
        autoclose: whether a shared cluster ends with the last run that uses it.
    """

    backend: str
    options: JsonObject
    gateway: str = ""
    shared: bool = False
    autoclose: bool = False


def make_factory_arguments(request: ProviderRequest) -> dict[str, Any]:
    """Return the arguments of `backends.run_cluster.start_run_cluster`."""
    return {"request": asdict(request)}


def options_as_arguments(request: ProviderRequest) -> dict[str, Any]:
    """Return the options as keyword arguments, for providers whose options are the arguments of their class."""
    return dict(request.options)


def is_never_local(request: ProviderRequest) -> bool:
    """Return False, for providers whose Dask workers do not share the machine of the flow run."""
    return False


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
    """One way to get a Dask cluster for flow runs.

    Args:
        name: the name that users type.
        title: its name at the beginning of a message; None for "The cluster provider …".
        accepted_options: those options of the executor `dask-cluster` that it accepts and some other provider refuses.
        cluster_factory: the context manager that provides the cluster, as `module:function`, imported only in the flow run.
        make_factory_arguments: returns its keyword arguments; called in the flow run.
        cluster_class: the class of the cluster, as `module:Class`, imported only in the flow run; "" if there is no class.
        make_arguments: returns the keyword arguments of the class; called in the flow run.
        install: the command that installs the requirements of the provider, if it needs more than SatFlow.
        owned_arguments: keyword arguments that SatFlow sets itself, each with the executor option that sets the same thing.
        has_sizes: whether the provider supports worker sizes.
        is_local: returns whether the requested Dask workers share the machine of the flow run, on which they must fit.
        validate_request: raises if the request is invalid on every machine; does no I/O.
        check_requirements: raises if a run on this machine lacks packages or settings for the cluster; contacts no service.
        check_offer: raises if a service does not offer the cluster, regardless of the machine of the runs; may do I/O.
        check_availability: raises if a run on this machine could not get the cluster; called during registration, may do I/O.
        find_missing_workers: reports Dask workers that have not connected; raises `ClusterFailed` if none can ever connect.
    """

    name: str
    title: str | None = None
    accepted_options: frozenset[str] = frozenset({"backend_options"})
    cluster_factory: str = "satflow_ext.cluster_providers.run_cluster:start_run_cluster"
    make_factory_arguments: Callable[[ProviderRequest], dict[str, Any]] = make_factory_arguments
    cluster_class: str = ""
    make_arguments: Callable[[ProviderRequest], dict[str, Any]] = options_as_arguments
    install: str | None = None
    owned_arguments: dict[str, str] = field(default_factory=dict)
    has_sizes: bool = True
    is_local: Callable[[ProviderRequest], bool] = is_never_local
    validate_request: Callable[[ProviderRequest], None] = accept_any_options
    check_requirements: Callable[[ProviderRequest, Settings], None] = accept_any_cluster
    check_offer: Callable[[ProviderRequest, Settings], None] = accept_any_cluster
    check_availability: Callable[[ProviderRequest, Settings], None] = accept_any_cluster
    find_missing_workers: Callable[[Any], MissingWorkers] = report_none_missing

    @property
    def is_shareable(self) -> bool:
        """True if all runs of a deployment can use one cluster, which is then the default."""
        return "share" in self.accepted_options

    @property
    def subject(self) -> str:
        """The provider as the subject of a message."""
        return self.title or f"The cluster provider {self.name}"
