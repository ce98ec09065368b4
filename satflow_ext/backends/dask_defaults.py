"""Dask's settings for clusters whose scheduler or workers this process starts."""

from __future__ import annotations

QUIET: dict[str, list[str]] = {"distributed.scheduler.http.routes": [], "distributed.worker.http.routes": []}
"""No page and no JSON on the ports that scheduler and workers open for HTTP: those ask for no credential."""

PROMPT: dict[str, str] = {"distributed.deploy.lost-worker-timeout": "3s"}
"""How long a cluster object waits for a Dask worker to come back before it makes another one: they never do."""
