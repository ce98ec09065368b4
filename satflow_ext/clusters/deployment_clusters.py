"""Shared clusters of deployments, as their live versions define them, for the sidebar, the magic and the command line."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass

from satflow_ext import executors
from satflow_ext.cluster_providers.dask_gateway import make_gateway_request
from satflow_ext.clusters import persistent_clusters
from satflow_ext.clusters.persistent_clusters import PersistentCluster
from satflow_ext.clusters.single_update import update_status_files
from satflow_ext.clusters.status_files import StatusFiles
from satflow_ext.deployments import queries
from satflow_ext.deployments.state import read_live_manifest
from satflow_ext.endpoints import Endpoints
from satflow_ext.errors import BadRequest, DeploymentNotFound, SatflowError
from satflow_ext.gateways.cluster_process import ClusterCommand, ClusterState, run_command
from satflow_ext.gateways.cluster_request import GatewayClusterRequest
from satflow_ext.keys import read_trusted_keys
from satflow_ext.models import AdaptCluster, ClusterOrder, ClusterStatus, ScaleCluster, SharedCluster, StartCluster
from satflow_ext.prefect_api import prefect_client
from satflow_ext.settings import Settings
from satflow_ext.versions.manifest import Manifest

SHARE_FIX = "Register it with the executor dask-cluster and share=deployment."


@dataclass(frozen=True)
class _DeploymentCluster:
    """A deployment's shared cluster. `read` is the command that reads its state, `name` the deployment's full name."""

    read_command: ClusterCommand
    name: str

    async def apply_command(self, **command: object) -> SharedCluster:
        """Run a command with these fields, and return the state of the cluster after it."""
        result = await run_command(self.read_command.model_copy(update=command))
        return self._build_status(result.state)

    async def close(self) -> bool:
        """Close the cluster, and return whether there was one."""
        return (await run_command(self.read_command.model_copy(update={"verb": "close"}))).closed

    def _build_status(self, state: ClusterState) -> SharedCluster:
        return SharedCluster(
            deployment_id=self.read_command.label,
            deployment_name=self.name,
            gateway=self.read_command.request.gateway,
            worker_size=self.read_command.request.size,
            plan=None,
            why=None,
            **state.model_dump(),
        )


async def read_cluster(endpoints: Endpoints, settings: Settings, deployment_id: str) -> SharedCluster:
    """Read the state of the cluster that the deployment's runs share.

    Raises:
        DeploymentNotFound: Prefect has no deployment with that id, or SatFlow did not create it.
        BadRequest: its runs do not share a cluster.
        ClusterFailed: the gateway does not answer.
    """
    owned = await _find_cluster(endpoints, settings, deployment_id)
    return await owned.apply_command()


async def apply_order(
    endpoints: Endpoints, settings: Settings, deployment_id: str, order: ClusterOrder
) -> SharedCluster:
    """Apply an order to the shared cluster, and return its state after it.

    Raises:
        DeploymentNotFound: Prefect has no deployment with that id, or SatFlow did not create it.
        BadRequest: its runs do not share a cluster.
        ClusterNotFound: there is no cluster to scale.
        ClusterFailed: the order failed; the subclass states why.
    """
    owned = await _find_cluster(endpoints, settings, deployment_id)
    return await owned.apply_command(**_command_fields(order))


async def close_cluster(endpoints: Endpoints, settings: Settings, deployment_id: str) -> bool:
    """Close the shared cluster, and return whether there was one.

    Raises:
        DeploymentNotFound: Prefect has no deployment with that id, or SatFlow did not create it.
        BadRequest: its runs do not share a cluster.
        ClusterFailed: the gateway does not answer.
    """
    owned = await _find_cluster(endpoints, settings, deployment_id)
    return await owned.close()


def _command_fields(order: ClusterOrder) -> dict[str, object]:
    """Convert an order to the fields of a command."""
    action = order.order
    if isinstance(action, ScaleCluster):
        return {"verb": "resize", "workers": action.workers}
    if isinstance(action, AdaptCluster):
        return {"verb": "resize", "minimum": action.minimum, "maximum": action.maximum}
    return {"verb": "start" if isinstance(action, StartCluster) else "restart"}


async def _find_cluster(endpoints: Endpoints, settings: Settings, deployment_id: str) -> _DeploymentCluster:
    async with prefect_client(endpoints.prefect) as client:
        row, flow_name = await queries.read_row(client, deployment_id)
    found = await read_live_manifest(row, endpoints, read_trusted_keys(settings))
    if isinstance(found, SatflowError):
        raise found
    if found is None:
        raise DeploymentNotFound(f"SatFlow did not create {flow_name}/{row.name}.", fix="Register it first.")
    read = ClusterCommand(
        verb="read", request=_cluster_request(found, settings), label=deployment_id, settings=settings
    )
    return _DeploymentCluster(read, found.full_name)


def _cluster_request(manifest: Manifest, settings: Settings) -> GatewayClusterRequest:
    """Return the cluster request that the runs of a version will make, with their interpreter."""
    request = executors.find_provider_request(manifest.executor, manifest.with_registered_sizes(settings))
    if request is None or not request.shared:
        raise BadRequest(f"The runs of {manifest.full_name} do not share a cluster.", fix=SHARE_FIX)
    if manifest.environment_policy == "recreate":
        raise BadRequest(
            f"The runs of {manifest.full_name} recreate their environment, so only a run can start their cluster.",
            fix="Start a run instead.",
        )
    return make_gateway_request(request, manifest.environment.executable or sys.executable)


async def list_clusters(endpoints: Endpoints, settings: Settings) -> tuple[SharedCluster, ...]:
    """Return the shared clusters of all deployments that can have one, including those that have none now.

    Raises:
        PrefectFailed: the API did not answer.
    """
    able = persistent_clusters.list_persistent_clusters(await queries.list_deployments(endpoints))
    return await asyncio.to_thread(_read_statuses, able, settings)


def _read_statuses(clusters: tuple[PersistentCluster, ...], settings: Settings) -> tuple[SharedCluster, ...]:
    status_files = StatusFiles(settings)
    with update_status_files(clusters, status_files):
        return tuple(_to_shared_cluster(each, status_files.read_status(each.deployment_id)) for each in clusters)


def _to_shared_cluster(cluster: PersistentCluster, status: ClusterStatus | None) -> SharedCluster:
    return SharedCluster(
        deployment_id=cluster.deployment_id,
        deployment_name=cluster.deployment,
        gateway=cluster.gateway,
        state="none" if status is None or status.state == "closed" else status.state,
        workers=status.observed if status else 0,
        plan=status.plan if status else None,
        why=(status.problem or status.pending) if status else None,
        worker_size=cluster.worker_size,
        started=status.started if status else None,
    )
