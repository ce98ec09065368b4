"""/satflow/clusters, and the shared cluster of a deployment."""

from __future__ import annotations

from http import HTTPStatus

from jupyter_server.auth.decorator import authorized
from tornado import web

from satflow_ext.models import ClusterOrder
from satflow_ext.server.base_handler import SatflowHandler


class ClustersHandler(SatflowHandler):
    """All Dask clusters of flow runs on this machine."""

    @web.authenticated
    @authorized(action="read", resource="satflow_ext:clusters")
    async def get(self) -> None:
        """Reply with the ClusterList."""
        self.reply(await self.managers.clusters.list_all())


class SharedClusterHandler(SatflowHandler):
    """The shared cluster of a deployment."""

    @web.authenticated
    @authorized(action="read", resource="satflow_ext:clusters")
    async def get(self, deployment_id: str) -> None:
        """Reply with the SharedCluster."""
        self.reply(await self.managers.shared_clusters.read_cluster(deployment_id))

    @web.authenticated
    @authorized(action="execute", resource="satflow_ext:clusters")
    async def post(self, deployment_id: str) -> None:
        """Apply an order, and reply when it is done: ClusterOrder → SharedCluster."""
        self.reply(await self.managers.shared_clusters.apply_order(deployment_id, self.read_body(ClusterOrder)))

    @web.authenticated
    @authorized(action="execute", resource="satflow_ext:clusters")
    async def delete(self, deployment_id: str) -> None:
        """Stop the cluster; runs that use it fail."""
        await self.managers.shared_clusters.close_cluster(deployment_id)
        self.set_status(HTTPStatus.NO_CONTENT)
        self.finish()
