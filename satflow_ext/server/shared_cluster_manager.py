"""Shared clusters of deployments: read, started, resized and closed from the sidebar."""

from __future__ import annotations

import asyncio
import importlib

from satflow_ext.endpoints import Endpoints
from satflow_ext.models import ClusterOrder, SharedCluster
from satflow_ext.server.stack_manager import StackManager


class SharedClusterManager:
    """The sidebar's operations on the shared cluster of a deployment.

    Args:
        stack: provides the addresses of Prefect and the store.
    """

    def __init__(self, stack: StackManager) -> None:
        self._stack = stack

    async def read_cluster(self, deployment_id: str) -> SharedCluster:
        """Read the status of the cluster."""
        where = await self._resolve_endpoints()
        from satflow_ext.registration import deployment_clusters

        return await deployment_clusters.read_cluster(where, self._stack.settings, deployment_id)

    async def apply_order(self, deployment_id: str, order: ClusterOrder) -> SharedCluster:
        """Apply an order to the cluster; a start waits until it is ready."""
        where = await self._resolve_endpoints()
        from satflow_ext.registration import deployment_clusters

        return await deployment_clusters.apply_order(where, self._stack.settings, deployment_id, order)

    async def close_cluster(self, deployment_id: str) -> None:
        """Stop the cluster, if there is one."""
        where = await self._resolve_endpoints()
        from satflow_ext.registration import deployment_clusters

        await deployment_clusters.close_cluster(where, self._stack.settings, deployment_id)

    async def _resolve_endpoints(self) -> Endpoints:
        """Return the endpoints, after a thread has imported the modules that use them."""
        where = await self._stack.endpoints()
        await asyncio.to_thread(importlib.import_module, "satflow_ext.registration.deployment_clusters")
        return where
