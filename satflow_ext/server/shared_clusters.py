"""The clusters that deployments' runs share: looked at, started, resized and closed from the sidebar."""

from __future__ import annotations

import asyncio
import importlib

from satflow_ext.endpoints import Endpoints
from satflow_ext.models import ClusterOrder, SharedCluster
from satflow_ext.server.stack import StackManager


class SharedClusterManager:
    """What the sidebar does with the cluster of a deployment.

    Args:
        stack: says where Prefect and the store are.
    """

    def __init__(self, stack: StackManager) -> None:
        self._stack = stack

    async def look(self, deployment_id: str) -> SharedCluster:
        """How it is now."""
        where = await self._where()
        from satflow_ext.registration import clusters

        return await clusters.look(where, self._stack.settings, deployment_id)

    async def obey(self, deployment_id: str, order: ClusterOrder) -> SharedCluster:
        """Let it do what was asked for; starting waits until it is ready."""
        where = await self._where()
        from satflow_ext.registration import clusters

        return await clusters.obey(where, self._stack.settings, deployment_id, order)

    async def close(self, deployment_id: str) -> None:
        """End it, where there is one."""
        where = await self._where()
        from satflow_ext.registration import clusters

        await clusters.close(where, self._stack.settings, deployment_id)

    async def _where(self) -> Endpoints:
        """Where things are, once the modules that talk to them were imported by a thread."""
        where = await self._stack.endpoints()
        await asyncio.to_thread(importlib.import_module, "satflow_ext.registration.clusters")
        return where
