"""Executor `dask-cluster`: tasks run on a cluster of a Dask Gateway (the local stack's or another) or another provider."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from satflow_ext import cluster_providers
from satflow_ext.cluster_providers import ProviderRequest
from satflow_ext.errors import InvalidExecutorOption
from satflow_ext.executors import worker_sizes
from satflow_ext.executors.executor import DASK_PACKAGES, ClusterLocation, Executor, ExecutorOptions, text_option
from satflow_ext.executors.machine_size import Machine, measure_machine
from satflow_ext.models import JsonObject
from satflow_ext.settings import Settings

if TYPE_CHECKING:
    from prefect.task_runners import TaskRunner


MAX_PREWARM = 2 * 3600
"""Maximum seconds that a cluster may be started before a scheduled run."""

DEFAULT_WORKERS = 2
"""Default number of Dask workers."""


class DaskClusterOptions(ExecutorOptions):
    """The number and size of the Dask workers, and the lifetime of the cluster."""

    n_workers: int | None = Field(
        None,
        ge=1,
        le=1024,
        title="Workers",
        description=f"A fixed number. Default: {DEFAULT_WORKERS}, or adaptive if a maximum is set.",
    )
    minimum: int | None = Field(
        None, ge=0, le=1024, title="Minimum", description="Minimum number if it adapts to the load."
    )
    maximum: int | None = Field(
        None,
        ge=1,
        le=1024,
        title="Maximum",
        description="Set it to adapt the number to the load.",
        validate_default=True,
    )
    worker_size: str | None = Field(
        None, title="Worker size", description="Default: the default of the cluster provider."
    )
    backend: str = Field(
        cluster_providers.DEFAULT_NAME,
        title="Cluster provider",
        description=f"The source of clusters: {', '.join(cluster_providers.NAMES)}, or any class as module:Class.",
        min_length=1,
    )
    backend_options: JsonObject = Field(
        {}, title="Provider options", description="Keyword arguments of the provider's class, as JSON. No secrets."
    )
    share: Literal["deployment", "run"] | None = Field(
        None,
        title="Cluster for each",
        description="One cluster shared by all runs of the deployment, or one for each run. Default: deployment for a "
        "Dask Gateway, else run.",
    )
    autoclose: bool = Field(False, title="End a shared cluster with its last run")
    idle_timeout: float = Field(
        600,
        ge=1,
        le=7 * 86400,
        title="Idle timeout",
        description="Seconds after which an unused cluster ends.",
    )
    start_timeout: float = Field(
        300, ge=1, le=86400, title="Start timeout", description="Seconds until the cluster must be ready."
    )
    prewarm: float = Field(
        0,
        ge=0,
        le=MAX_PREWARM,
        title="Start before run",
        description="Start a shared cluster this many seconds before a scheduled run, so that it is ready for the run. "
        "With your own Prefect server, use 'satflow clusters prewarm'.",
        validate_default=True,
    )
    gateway: str = Field(
        "", title="Dask Gateway", description="Its name in satflow.toml. Default: this machine's gateway."
    )

    @model_validator(mode="before")
    @classmethod
    def _set_default_workers(cls, given: Any) -> Any:
        sized = isinstance(given, dict) and any(
            given.get(name) is not None for name in ("n_workers", "minimum", "maximum")
        )
        return {**given, "n_workers": DEFAULT_WORKERS} if isinstance(given, dict) and not sized else given

    @model_validator(mode="before")
    @classmethod
    def _set_default_share(cls, given: Any) -> Any:
        if not isinstance(given, dict) or given.get("share") is not None:
            return given
        backend = given.get("backend", cluster_providers.DEFAULT_NAME)
        return {**given, "share": "deployment" if cluster_providers.is_shareable(backend) else "run"}

    @field_validator("backend_options", mode="before")
    @classmethod
    def _parse_json_text(cls, given: Any) -> Any:
        """Parse text, which a form and a command line provide."""
        try:
            return json.loads(given or "{}") if isinstance(given, str) else given
        except ValueError:
            raise PydanticCustomError("no_json", 'it must be a JSON object, such as {{"queue": "main"}}') from None

    @field_validator("maximum")
    @classmethod
    def _check_worker_numbers(cls, maximum: int | None, info: ValidationInfo) -> int | None:
        workers, minimum = info.data.get("n_workers"), info.data.get("minimum")
        if workers is not None and (minimum is not None or maximum is not None):
            raise PydanticCustomError(
                "contradiction", "a fixed number of workers and a minimum or maximum contradict each other"
            )
        if minimum is not None and maximum is None:
            raise PydanticCustomError("contradiction", "a minimum needs a maximum")
        if minimum is not None and maximum is not None and minimum > maximum:
            raise PydanticCustomError("contradiction", "it is less than the minimum of {least}", {"least": minimum})
        return maximum

    @field_validator("prewarm")
    @classmethod
    def _check_prewarm(cls, prewarm: float, info: ValidationInfo) -> float:
        if prewarm and info.data.get("share") == "run":
            raise PydanticCustomError("contradiction", "only a shared cluster can be started before a run")
        idle = info.data.get("idle_timeout", prewarm)
        if prewarm > idle:
            raise PydanticCustomError(
                "contradiction", "the cluster would end before the run: idle_timeout is {idle} s", {"idle": f"{idle:g}"}
            )
        return prewarm

    @property
    def max_workers(self) -> int:
        """The maximum number of Dask workers."""
        return self.n_workers or self.maximum or DEFAULT_WORKERS


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
