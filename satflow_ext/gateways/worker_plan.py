"""The requested Dask workers of a cluster, for every cluster provider."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WorkerPlan:
    """The number and size of the Dask workers, and the timeouts of the cluster.

    Args:
        workers: fixed number of Dask workers; None if the number adapts to the load.
        minimum: minimum number if it adapts.
        maximum: maximum number if it adapts.
        size: name of the worker size; None if none was chosen.
        cores: cores of one Dask worker; None if the cluster provider decides.
        memory: memory of one Dask worker in bytes; None if the cluster provider decides.
        gpus: GPUs of one Dask worker.
        idle_timeout: seconds without a user after which the cluster ends.
        start_timeout: seconds until the cluster must be ready.
    """

    workers: int | None
    minimum: int
    maximum: int | None
    size: str | None
    cores: int | None
    memory: int | None
    gpus: int
    idle_timeout: float
    start_timeout: float

    @property
    def initial_workers(self) -> int:
        """The number of Dask workers before there is any load."""
        return self.minimum if self.workers is None else self.workers
