"""The options of the executor `dask-cluster`."""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from satflow_ext import cluster_providers
from satflow_ext.executors.executor import ExecutorOptions
from satflow_ext.models import JsonObject

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
