"""The options of the executor `dask-cluster`."""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from satflow_ext import backends
from satflow_ext.backends import GATEWAY
from satflow_ext.executors.base import Options
from satflow_ext.models import JsonObject

LONGEST_PREWARM = 2 * 3600
"""Seconds before a scheduled run in which its cluster may be started at most."""

FIXED = 2
"""Dask workers where nobody says how many."""


class DaskClusterOptions(Options):
    """How many Dask workers there are and how big, and how long the cluster lives."""

    n_workers: int | None = Field(
        None,
        ge=1,
        le=1024,
        title="Workers",
        description=f"A fixed number. Empty: {FIXED}, or as many as there is work for.",
    )
    minimum: int | None = Field(None, ge=0, le=1024, title="Minimum", description="Where the number follows the work.")
    maximum: int | None = Field(
        None,
        ge=1,
        le=1024,
        title="Maximum",
        description="Set it to let the number follow the work.",
        validate_default=True,
    )
    worker_size: str | None = Field(None, title="Worker size", description="Empty: what the back end gives by itself.")
    backend: str = Field(
        GATEWAY,
        title="Back end",
        description=f"Where clusters come from: {', '.join(backends.NAMES)}, or any class as module:Class.",
        min_length=1,
    )
    backend_options: JsonObject = Field(
        {}, title="Back end's options", description="Keyword arguments of its class, as JSON. Never a secret."
    )
    share: Literal["deployment", "run"] | None = Field(
        None,
        title="Cluster of",
        description="One that all runs of the deployment share and find warm, or one for each run. Empty: shared on a "
        "Dask Gateway.",
    )
    autoclose: bool = Field(False, title="End a shared cluster with its last run")
    idle_timeout: float = Field(
        600,
        ge=1,
        le=7 * 86400,
        title="Idle time-out",
        description="Seconds after which a cluster that nobody uses ends.",
    )
    start_timeout: float = Field(
        300, ge=1, le=86400, title="Start time-out", description="Seconds that the cluster may take to be ready."
    )
    prewarm: float = Field(
        0,
        ge=0,
        le=LONGEST_PREWARM,
        title="Start ahead",
        description="Seconds before a scheduled run in which a shared cluster is started, so that the run finds it warm. "
        "With a Prefect server of your own 'satflow clusters prewarm' does it.",
        validate_default=True,
    )
    gateway: str = Field("", title="Dask Gateway", description="Its name in satflow.toml. Empty: this machine's own.")

    @model_validator(mode="before")
    @classmethod
    def _fixed_unless_said(cls, given: Any) -> Any:
        sized = isinstance(given, dict) and any(
            given.get(name) is not None for name in ("n_workers", "minimum", "maximum")
        )
        return {**given, "n_workers": FIXED} if isinstance(given, dict) and not sized else given

    @model_validator(mode="before")
    @classmethod
    def _shared_where_that_can_be(cls, given: Any) -> Any:
        if not isinstance(given, dict) or given.get("share") is not None:
            return given
        return {**given, "share": "deployment" if given.get("backend", GATEWAY) == GATEWAY else "run"}

    @field_validator("backend_options", mode="before")
    @classmethod
    def _from_text(cls, given: Any) -> Any:
        """A form and a command line have text."""
        try:
            return json.loads(given or "{}") if isinstance(given, str) else given
        except ValueError:
            raise PydanticCustomError("no_json", 'it is no JSON object, such as {{"queue": "main"}}') from None

    @field_validator("maximum")
    @classmethod
    def _one_way_to_say_how_many(cls, maximum: int | None, info: ValidationInfo) -> int | None:
        workers, minimum = info.data.get("n_workers"), info.data.get("minimum")
        if workers is not None and (minimum is not None or maximum is not None):
            raise PydanticCustomError(
                "contradiction", "a fixed number of workers and a minimum or maximum contradict each other"
            )
        if minimum is not None and maximum is None:
            raise PydanticCustomError("contradiction", "a minimum needs a maximum")
        if minimum is not None and maximum is not None and minimum > maximum:
            raise PydanticCustomError(
                "contradiction", "it is less than the minimum, which is {least}", {"least": minimum}
            )
        return maximum

    @field_validator("prewarm")
    @classmethod
    def _ahead_of_a_shared_one_that_lasts(cls, prewarm: float, info: ValidationInfo) -> float:
        if prewarm and info.data.get("share") == "run":
            raise PydanticCustomError("contradiction", "only a cluster that runs share can be started ahead of one")
        idle = info.data.get("idle_timeout", prewarm)
        if prewarm > idle:
            raise PydanticCustomError(
                "contradiction", "the cluster would end before the run: idle_timeout is {idle} s", {"idle": f"{idle:g}"}
            )
        return prewarm

    @property
    def most(self) -> int:
        """The most Dask workers that there can be."""
        return self.n_workers or self.maximum or FIXED
