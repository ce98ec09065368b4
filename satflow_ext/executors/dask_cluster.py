"""Executor `dask-cluster`: tasks run on a cluster of a Dask Gateway (the local stack's or another) or another provider."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from satflow_ext import cluster_providers
from satflow_ext.cluster_providers import ProviderRequest
from satflow_ext.errors import InvalidExecutorOption
from satflow_ext.executors import worker_sizes
from satflow_ext.executors.dask_cluster_options import DaskClusterOptions
from satflow_ext.executors.executor import DASK_PACKAGES, ClusterLocation, Executor, text_option
from satflow_ext.executors.machine_size import Machine, measure_machine
from satflow_ext.models import JsonObject
from satflow_ext.settings import Settings

if TYPE_CHECKING:
    from prefect.task_runners import TaskRunner


def provider_request(options: DaskClusterOptions, settings: Settings) -> ProviderRequest:
    """Convert the options to a request to the cluster provider. Dask workers without a size share this machine's memory.

    Raises:
        UnknownBackEnd: no cluster provider has this name.
        UnknownWorkerSize: no size has this name.
    """
    size = worker_sizes.find_size(options.worker_size, settings) if options.worker_size else None
    request = ProviderRequest(
        workers=options.n_workers,
        minimum=options.minimum or 0,
        maximum=options.maximum,
        size=options.worker_size,
        cores=size.cores if size else None,
        memory=worker_sizes.memory_bytes(size) if size else None,
        gpus=size.gpus if size else 0,
        idle_timeout=options.idle_timeout,
        start_timeout=options.start_timeout,
        backend=options.backend,
        options=options.backend_options,
        gateway=options.gateway,
        shared=options.share == "deployment",
        autoclose=options.autoclose,
    )
    if size or not cluster_providers.find_provider(options.backend).is_local(request):
        return request
    return replace(request, cores=1, memory=measure_machine().memory // options.max_workers)


def create_task_runner(options: DaskClusterOptions, settings: Settings) -> TaskRunner[Any]:
    """Create a Dask task runner that starts or finds its cluster when the first task is submitted."""
    from satflow_ext.cluster_providers.signature import import_class
    from satflow_ext.dask_tasks.runner import FastDaskTaskRunner

    provider = cluster_providers.find_provider(options.backend)
    return FastDaskTaskRunner(
        cluster_class=import_class(provider.cluster_factory),
        cluster_kwargs=provider.make_factory_arguments(provider_request(options, settings)),
    )


def check_machine(options: DaskClusterOptions, settings: Settings, machine: Machine) -> None:
    """Refuse a cluster that a run on this machine could not get, without contacting a service of the cluster provider.

    Raises:
        ExtraMissing: a package that the cluster provider needs is not installed.
        SettingsWrong: no gateway has this name.
        SizeRefused: this machine cannot provide that many workers of this size.
    """
    provider, request = cluster_providers.find_provider(options.backend), provider_request(options, settings)
    provider.check_requirements(request, settings)
    if options.worker_size and provider.is_local(request):
        worker_sizes.check_fits(options.worker_size, options.max_workers, settings, machine)


def validate_options(options: DaskClusterOptions, settings: Settings) -> None:
    """Refuse options that contradict the cluster provider.

    Raises:
        UnknownBackEnd: no cluster provider has this name.
        InvalidExecutorOption: the provider does not support an option.
        SizeRefused: the provider does not support worker sizes.
    """
    _refuse_unaccepted_options(options, cluster_providers.find_provider(options.backend))
    cluster_providers.validate_request(provider_request(options, settings))


def _refuse_unaccepted_options(options: DaskClusterOptions, provider: cluster_providers.ClusterProvider) -> None:
    refusals = {
        "gateway": (
            options.gateway,
            f"{provider.subject} is not a Dask Gateway.",
            f"Leave out gateway, or choose backend={cluster_providers.DEFAULT_NAME}.",
        ),
        "share": (
            options.share == "deployment",
            f"A cluster of the cluster provider {provider.name} ends with its flow run.",
            "Choose share=run, or a Dask Gateway.",
        ),
        "backend_options": (
            options.backend_options,
            f"{provider.subject} does not support backend_options.",
            "Choose another backend.",
        ),
    }
    for name, (given, message, fix) in refusals.items():
        if given and name not in provider.accepted_options:
            raise InvalidExecutorOption(message, fix=fix, field=f"executor.options.{name}")


def locate_shared_cluster(options: JsonObject) -> ClusterLocation | None:
    """Return the location of the cluster that the runs of a deployment share, or None if they do not share one."""
    provider = options.get("backend", cluster_providers.DEFAULT_NAME)
    if options.get("share") == "run" or not cluster_providers.is_shareable(provider):
        return None
    return ClusterLocation(gateway=text_option(options, "gateway") or "")


DASK_CLUSTER = Executor(
    name="dask-cluster",
    title="Dask cluster",
    purpose="a cluster that stays ready between runs, on this machine or on many",
    starts="in seconds, or at once if the cluster is ready",
    options=DaskClusterOptions,
    create_task_runner=create_task_runner,
    check_machine=check_machine,
    validate_options=validate_options,
    packages=DASK_PACKAGES,
    provider_request=provider_request,
    locate_cluster=locate_shared_cluster,
)
