"""Executor `dask-cluster`: tasks run on a cluster of a Dask Gateway (the local stack's or another) or another provider."""

from __future__ import annotations

import sys
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from satflow_ext import backends
from satflow_ext.backends import GATEWAY, ProviderRequest
from satflow_ext.errors import InvalidExecutorOption, SizeRefused
from satflow_ext.executors import worker_sizes
from satflow_ext.executors.dask_cluster_options import DaskClusterOptions
from satflow_ext.executors.executor import DASK_PACKAGES, Executor
from satflow_ext.executors.machine_size import Machine, measure_machine
from satflow_ext.gateways import connection
from satflow_ext.gateways.cluster_request import GatewayClusterRequest
from satflow_ext.gateways.gateway_locator import find_gateway_settings
from satflow_ext.settings import Settings

if TYPE_CHECKING:
    from prefect.task_runners import TaskRunner


def gateway_request(options: DaskClusterOptions, settings: Settings, python: str) -> GatewayClusterRequest:
    """Convert the options to a gateway cluster request for flow runs with this interpreter.

    Raises:
        UnknownWorkerSize: no size has this name.
    """
    found = GatewayClusterRequest(**_worker_plan(options, settings), gateway=options.gateway, python=python)
    if options.gateway or options.worker_size:
        return found
    return replace(found, cores=1, memory=measure_machine().memory // options.max_workers)


def provider_request(options: DaskClusterOptions, settings: Settings) -> ProviderRequest:
    """Convert the options to a request for a cluster provider other than a Dask Gateway.

    Raises:
        UnknownWorkerSize: no size has this name.
    """
    return ProviderRequest(**_worker_plan(options, settings), backend=options.backend, options=options.backend_options)


def _worker_plan(options: DaskClusterOptions, settings: Settings) -> dict[str, Any]:
    """Return the fields of `Workers`."""
    size = worker_sizes.find_size(options.worker_size, settings) if options.worker_size else None
    return {
        "workers": options.n_workers,
        "minimum": options.minimum or 0,
        "maximum": options.maximum,
        "size": options.worker_size,
        "cores": size.cores if size else None,
        "memory": worker_sizes.memory_bytes(size) if size else None,
        "gpus": size.gpus if size else 0,
        "idle_timeout": options.idle_timeout,
        "start_timeout": options.start_timeout,
    }


def create_task_runner(options: DaskClusterOptions, settings: Settings) -> TaskRunner[Any]:
    """Create a Dask task runner that starts or finds its cluster when the first task is submitted."""
    from satflow_ext.dask_tasks.runner import FastDaskTaskRunner

    if options.backend != GATEWAY:
        from satflow_ext.backends.run_cluster import start_run_cluster

        return FastDaskTaskRunner(
            cluster_class=start_run_cluster, cluster_kwargs={"request": asdict(provider_request(options, settings))}
        )
    from satflow_ext.gateways.cluster_factory import gateway_cluster

    cluster = asdict(gateway_request(options, settings, sys.executable))
    share = options.share == "deployment"
    return FastDaskTaskRunner(
        cluster_class=gateway_cluster,
        cluster_kwargs={"request": cluster, "share": share, "autoclose": options.autoclose},
    )


def check_machine(options: DaskClusterOptions, settings: Settings, machine: Machine) -> None:
    """Refuse a cluster that a run on this machine could not get, without contacting a gateway.

    Raises:
        ExtraMissing: dask-gateway is not installed.
        SettingsWrong: no gateway has this name.
        SizeRefused: this machine cannot provide that many workers of this size.
    """
    if options.backend != GATEWAY:
        return  # registration checks the provider, because that may take a while
    connection.require_client()
    if options.gateway:
        find_gateway_settings(options.gateway, settings)
        return
    connection.require_server()
    if options.worker_size:
        _refuse_gpus(options.worker_size, settings)
        worker_sizes.check_fits(options.worker_size, options.max_workers, settings, machine)


def validate_options(options: DaskClusterOptions, settings: Settings) -> None:
    """Refuse options that contradict the cluster provider.

    Raises:
        UnknownBackEnd: no cluster provider has this name.
        InvalidExecutorOption: the provider does not support an option.
        SizeRefused: the provider does not support worker sizes.
    """
    if options.backend != GATEWAY:
        _refuse_gateway_options(options)
        backends.validate_request(provider_request(options, settings))
    elif options.backend_options:
        raise _invalid_option(
            "backend_options", "A Dask Gateway does not support backend_options.", "Choose another backend."
        )


def _refuse_gateway_options(options: DaskClusterOptions) -> None:
    if options.gateway:
        fix = f"Leave out gateway, or choose backend={GATEWAY}."
        raise _invalid_option("gateway", f"The cluster provider {options.backend} is not a Dask Gateway.", fix)
    if options.share == "deployment":
        fix = "Choose share=run, or a Dask Gateway."
        raise _invalid_option(
            "share", f"A cluster of the cluster provider {options.backend} ends with its flow run.", fix
        )


def _invalid_option(option: str, message: str, fix: str) -> InvalidExecutorOption:
    return InvalidExecutorOption(message, fix=fix, field=f"executor.options.{option}")


def _refuse_gpus(size: str, settings: Settings) -> None:
    if worker_sizes.find_size(size, settings).gpus:
        raise SizeRefused(
            f"This machine's Dask Gateway does not offer GPUs, which the size {size!r} has.",
            fix="Choose a size without GPUs, or a Dask Gateway that offers GPUs.",
            field="executor.options.worker_size",
        )


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
)
