"""The Dask workers of a cluster, as somebody wants them, whatever gives the cluster."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Workers:
    """How many and how big they are, and for how long.

    Args:
        workers: how many; None where the number follows the work.
        minimum: the least of them, where it does.
        maximum: the most.
        size: name of the worker size; None where none was chosen.
        cores: of one Dask worker; None where whoever gives the cluster decides.
        memory: of one, in bytes; None likewise.
        gpus: of one.
        idle_timeout: seconds without a user after which the cluster ends.
        start_timeout: seconds that it may take to be ready.
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
    def first_workers(self) -> int:
        """How many there are before there is any work."""
        return self.minimum if self.workers is None else self.workers
