"""The managers of one Jupyter server, which are created and closed together."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from jupyter_server.services.kernels.kernelmanager import MappingKernelManager

from satflow_ext.models import StreamFrame, Subscribe
from satflow_ext.server.catalogue_manager import CatalogueManager
from satflow_ext.server.cluster_class_manager import ClusterClassManager
from satflow_ext.server.cluster_status_manager import ClusterManager
from satflow_ext.server.cluster_watch import ClusterWatcherProcess
from satflow_ext.server.deployment_manager import DeploymentManager
from satflow_ext.server.kernel_bridge import KernelBridge
from satflow_ext.server.preflight_manager import PreflightManager
from satflow_ext.server.run_manager import RunManager
from satflow_ext.server.shared_cluster_manager import SharedClusterManager
from satflow_ext.server.stack_manager import StackManager
from satflow_ext.settings import load_settings


@dataclass(frozen=True)
class Managers:
    """The managers that handlers call, one for each kind of resource."""

    kernels: KernelBridge
    stack: StackManager
    catalogue: CatalogueManager
    cluster_classes: ClusterClassManager
    deployments: DeploymentManager
    preflight: PreflightManager
    runs: RunManager
    clusters: ClusterManager
    shared_clusters: SharedClusterManager

    @classmethod
    def create(cls, kernel_manager: MappingKernelManager) -> Managers:
        """Create the managers of a server with that kernel manager. The settings are read when they are first needed."""
        stack = StackManager(load_settings)
        kernels = KernelBridge(kernel_manager, stack)
        return cls(
            kernels=kernels,
            stack=stack,
            catalogue=CatalogueManager(stack),
            cluster_classes=ClusterClassManager(stack, kernels),
            deployments=DeploymentManager(stack, kernels),
            preflight=PreflightManager(stack, kernels),
            runs=RunManager(stack),
            clusters=ClusterManager(stack, ClusterWatcherProcess(stack)),
            shared_clusters=SharedClusterManager(stack),
        )

    def stream_frames(self, request: Subscribe) -> AsyncGenerator[StreamFrame, None]:
        """Return the frames of a subscription, until the topic has ended."""
        if request.topic == "clusters":
            return self.clusters.watch_all()
        if request.run_id is None or request.topic == "runs":
            return self.runs.watch_changes()
        if request.topic == "logs":
            return self.runs.follow_log(request.run_id, request.cursor)
        return self.clusters.watch_cluster(request.run_id)

    async def close(self) -> None:
        """Stop all watchers and followers, then release the lease on the local stack."""
        await self.clusters.close()
        await self.runs.close()
        await self.stack.close()
