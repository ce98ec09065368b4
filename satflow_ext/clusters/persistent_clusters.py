"""Persistent clusters, which deployments keep between their runs. They are listed without contacting them."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, TypeAdapter

from satflow_ext import executors
from satflow_ext.clusters.cluster_owner import ClusterOwner
from satflow_ext.executors.executor import text_option
from satflow_ext.models import Deployment


class PersistentCluster(BaseModel):
    """The persistent cluster of a deployment: the one at `address`, or the one with the deployment's label on a Dask Gateway.

    `gateway` is the gateway's name in the settings, "" for the local stack's gateway.
    """

    model_config = ConfigDict(frozen=True)

    deployment_id: str
    deployment: str
    executor: str
    plan: int | None
    worker_size: str | None
    address: str | None
    gateway: str | None

    def to_owner(self) -> ClusterOwner:
        """Return the owner of the cluster, for its status."""
        return ClusterOwner(
            run_id=None,
            deployment=self.deployment,
            executor=self.executor,
            plan=self.plan,
            worker_size=self.worker_size,
            deployment_id=self.deployment_id,
        )


CLUSTERS_ADAPTER: TypeAdapter[tuple[PersistentCluster, ...]] = TypeAdapter(tuple[PersistentCluster, ...])
"""Format of the clusters on the watcher's standard input."""


def to_json_line(clusters: tuple[PersistentCluster, ...]) -> bytes:
    """Serialize the clusters as one line of JSON."""
    return CLUSTERS_ADAPTER.dump_json(clusters)


def list_persistent_clusters(deployments: Iterable[Deployment]) -> tuple[PersistentCluster, ...]:
    """List the persistent clusters of the deployments that have one."""
    return tuple(found for each in deployments if (found := _find_cluster(each)) is not None)


def _find_cluster(deployment: Deployment) -> PersistentCluster | None:
    if deployment.executor is None:
        return None
    location = executors.locate_persistent_cluster(deployment.executor)
    if location is None:
        return None
    options = deployment.executor.options
    workers = options.get("n_workers")
    return PersistentCluster(
        deployment_id=deployment.id,
        deployment=f"{deployment.flow_name}/{deployment.name}",
        executor=deployment.executor.name,
        plan=workers if isinstance(workers, int) else None,
        worker_size=text_option(options, "worker_size"),
        address=location.address,
        gateway=location.gateway,
    )
