"""Persistent clusters, which deployments keep between their runs. They are listed without contacting them."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, TypeAdapter

from satflow_ext.clusters.cluster_owner import ClusterOwner
from satflow_ext.executors.dask_address import DASK_ADDRESS
from satflow_ext.executors.dask_client import DASK_CLIENT
from satflow_ext.models import Deployment, JsonObject

SHARED_EXECUTOR = "dask-cluster"


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
    name, options = deployment.executor.name, deployment.executor.options
    address = _text_option(options, "address") if name in (DASK_ADDRESS.name, DASK_CLIENT.name) else None
    gateway = (_text_option(options, "gateway") or "") if name == SHARED_EXECUTOR and _is_shared(options) else None
    if address is None and gateway is None:
        return None
    workers = options.get("n_workers")
    return PersistentCluster(
        deployment_id=deployment.id,
        deployment=f"{deployment.flow_name}/{deployment.name}",
        executor=name,
        plan=workers if isinstance(workers, int) else None,
        worker_size=_text_option(options, "worker_size"),
        address=address,
        gateway=gateway,
    )


def _is_shared(options: JsonObject) -> bool:
    return options.get("share") != "run" and options.get("backend", "gateway") == "gateway"


def _text_option(options: JsonObject, name: str) -> str | None:
    value = options.get(name)
    return value if isinstance(value, str) else None
