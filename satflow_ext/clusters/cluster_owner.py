"""Owner of a Dask cluster: a flow run or a deployment."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ClusterOwner:
    """The owner of a cluster. `deployment` is `flow/deployment`; `plan` is the requested number of Dask workers, if set.

    `run_id` is None for a persistent cluster of a deployment, which is identified by `deployment_id`.
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
        """The id of the cluster."""
        return self.run_id or self.deployment_id or ""
