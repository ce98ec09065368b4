"""Prewarming requests: a version's option to start its shared cluster ahead of scheduled runs, and a file for the local stack."""

from __future__ import annotations

from pathlib import Path

from satflow_ext.endpoints import Endpoints
from satflow_ext.models import ExecutorChoice
from satflow_ext.settings import Settings
from satflow_ext.versions.manifest import Manifest


def prewarm_seconds(executor: ExecutorChoice) -> float:
    """Return how many seconds before a scheduled run the shared cluster is started; 0 if it is not prewarmed.

    The option `prewarm` has this meaning in every executor that has it.
    """
    return float(str(executor.options.get("prewarm") or 0))


def request_file(settings: Settings) -> Path:
    """Return the file that makes the local stack prewarm clusters. Most stacks do not have it, and need no process for it."""
    return settings.state_dir / "prewarm"


def request_prewarming(manifest: Manifest, endpoints: Endpoints, settings: Settings) -> None:
    """Create or touch the file if this version uses prewarming, so that the local stack reads the deployments again."""
    if endpoints.local and prewarm_seconds(manifest.executor):
        request_file(settings).touch(mode=0o600)
