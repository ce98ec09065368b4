"""Peak usage of the Dask workers of a deployment's runs, stored on this machine, and the worker size that fits it.

A run stores the peak usage of its workers when it ends. Samples are taken every second, so shorter peaks may be missed.
"""

from __future__ import annotations

import hashlib
import math
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from satflow_ext import atomic_files, file_lock
from satflow_ext.settings import GIB, Settings, SizeSettings

MAX_RUNS = 20
"""Maximum number of runs to keep for one deployment."""

SPILL_SHARE = 0.6
"""The share of a worker's memory above which Dask writes to disk (`distributed.worker.memory.target`)."""

PAUSE_SHARE = 0.8
"""The share above which a Dask worker pauses (`distributed.worker.memory.pause`)."""


class RunUsage(BaseModel):
    """The peak usage of one run: the highest memory (bytes) and number of cores that any of its workers used.

    `worker_size` is None if the workers shared the machine. `limit` is the memory limit of each worker in bytes.
    """

    model_config = ConfigDict(frozen=True)

    ended: datetime
    worker_size: str | None
    limit: int
    memory: int
    cores: float


class UsageStore:
    """The stored peak usage of this user's runs on this machine.

    Args:
        settings: contain the state folder.
    """

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.state_dir / "needs"

    def add_run(self, deployment: str, usage: RunUsage) -> None:
        """Store the peak usage of a run of `flow/deployment`.

        Raises:
            OSError: the file could not be written.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._path(deployment)
        with file_lock.lock_file(path.with_suffix(".lock")):  # several runs may end at the same time
            kept = [*self.read_runs(deployment), usage][-MAX_RUNS:]
            atomic_files.write_atomically(path, "".join(f"{each.model_dump_json()}\n" for each in kept).encode())

    def read_runs(self, deployment: str) -> tuple[RunUsage, ...]:
        """Read the peak usage of the last runs in order, or nothing if the file is missing or invalid."""
        try:
            lines = self._path(deployment).read_bytes().splitlines()
            return tuple(RunUsage.model_validate_json(line) for line in lines)
        except (FileNotFoundError, ValidationError):
            return ()

    def _path(self, deployment: str) -> Path:
        return self._folder / f"{hashlib.sha256(deployment.encode()).hexdigest()[:32]}.jsonl"


def suggest_size(usages: tuple[RunUsage, ...], settings: Settings) -> str | None:
    """Return advice such as "peak 3.1 of 16 GiB over 12 runs: medium is enough", or None without stored runs."""
    alike = [each for each in usages if (each.worker_size, each.limit) == (usages[-1].worker_size, usages[-1].limit)]
    if not alike:
        return None
    last, memory = alike[-1], max(each.memory for each in alike)
    runs = "1 run" if len(alike) == 1 else f"{len(alike)} runs"
    summary = f"peak {memory / GIB:.1f} of {last.limit / GIB:.0f} GiB over {runs}"
    better = _smallest_fitting_size(
        memory, max(each.cores for each in alike), _size_gpus(last.worker_size, settings), settings
    )
    if better is None or better == last.worker_size:
        return summary
    if memory > PAUSE_SHARE * last.limit:
        return f"{summary}: use {better}"
    return f"{summary}: {better} is enough" if _size_bytes(settings.worker_sizes[better]) < last.limit else summary


def _smallest_fitting_size(memory: int, cores: float, gpus: int, settings: Settings) -> str | None:
    """Return the size with this number of GPUs and the least memory that holds the peak comfortably, or None."""
    fitting = [
        name
        for name, size in settings.worker_sizes.items()
        if memory <= SPILL_SHARE * _size_bytes(size) and math.floor(cores) <= size.cores and size.gpus == gpus
    ]
    return min(fitting, key=lambda name: _size_bytes(settings.worker_sizes[name]), default=None)


def _size_bytes(size: SizeSettings) -> float:
    return size.memory * GIB


def _size_gpus(name: str | None, settings: Settings) -> int:
    size = settings.worker_sizes.get(name) if name else None
    return size.gpus if size else 0
