"""What a version says of starting its shared cluster ahead of scheduled runs, and how the local stack hears of it."""

from __future__ import annotations

from pathlib import Path

from satflow_ext.endpoints import Endpoints
from satflow_ext.executors.dask_cluster import DASK_CLUSTER
from satflow_ext.models import ExecutorChoice
from satflow_ext.registration.manifest import Manifest
from satflow_ext.settings import Settings


def seconds(executor: ExecutorChoice) -> float:
    """How long before a scheduled run the shared cluster is wanted; 0 where it is not."""
    return float(str(executor.options.get("prewarm") or 0)) if executor.name == DASK_CLUSTER.name else 0


def wish(settings: Settings) -> Path:
    """The file that has the local stack look for such runs: most stacks have none, and need no process for it."""
    return settings.state_dir / "prewarm"


def note(made: Manifest, endpoints: Endpoints, settings: Settings) -> None:
    """Have the local stack look from now on, or anew, where this version wants it."""
    if endpoints.local and seconds(made.executor):
        wish(settings).touch(mode=0o600)
