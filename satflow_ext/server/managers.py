"""The managers of one Jupyter server, which are created and closed together."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from jupyter_server.services.kernels.kernelmanager import MappingKernelManager

from satflow_ext.models import StreamFrame, Subscribe
from satflow_ext.server.catalogue import CatalogueManager
from satflow_ext.server.cluster_classes import ClusterClassManager
from satflow_ext.server.cluster_watch import ClusterWatcherProcess
from satflow_ext.server.clusters import ClusterManager
from satflow_ext.server.kernel_bridge import KernelBridge
from satflow_ext.server.preflight import PreflightManager
from satflow_ext.server.runs import RunManager
from satflow_ext.server.stack import StackManager
from satflow_ext.session import Session
from satflow_ext.settings import load_settings


@dataclass(frozen=True)
class Managers:
    """The objects that handlers call: the session, and a manager for each thing that only a Jupyter server does."""

    session: Session
    kernels: KernelBridge
    stack: StackManager
    catalogue: CatalogueManager
    cluster_classes: ClusterClassManager
    preflight: PreflightManager
    runs: RunManager
    clusters: ClusterManager

    @classmethod
    def create(cls, kernel_manager: MappingKernelManager) -> Managers:
        """Create the managers of a server with that kernel manager. The settings are read when they are first needed."""
        stack = StackManager(load_settings)
        kernels = KernelBridge(kernel_manager, stack)
        session = Session(stack)
        return cls(
            session=session,
            kernels=kernels,
            stack=stack,
            catalogue=CatalogueManager(stack),
            cluster_classes=ClusterClassManager(stack, kernels),
            preflight=PreflightManager(stack, kernels),
            runs=RunManager(session, stack),
            clusters=ClusterManager(stack, ClusterWatcherProcess(stack)),
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
