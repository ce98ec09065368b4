"""Whose a Dask cluster is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Subject:
    """Whose cluster it is: of which `flow/deployment`. `plan` is how many Dask workers it should have, None: nobody said.

    `run_id` is None for a cluster that a deployment has also between its runs; then it is known by `deployment_id`.
    """

    run_id: str | None
    deployment: str
    executor: str
    plan: int | None
    worker_size: str | None
    run_name: str | None = None
    deployment_id: str | None = None

    @property
    def key(self) -> str:
        """The id by which the cluster is known."""
        return self.run_id or self.deployment_id or ""
