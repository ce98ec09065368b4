"""Dask's settings for clusters whose scheduler or workers this process starts."""

from __future__ import annotations

NO_HTTP_ROUTES: dict[str, list[str]] = {"distributed.scheduler.http.routes": [], "distributed.worker.http.routes": []}
"""Serve no pages and no JSON on the HTTP ports of scheduler and workers, because these ports require no credential."""

LOST_WORKER_TIMEOUT: dict[str, str] = {"distributed.deploy.lost-worker-timeout": "3s"}
"""Time that a cluster object waits for a lost Dask worker before it starts another. Lost workers never come back."""
