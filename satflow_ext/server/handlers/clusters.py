"""/satflow/clusters."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from satflow_ext.server.base import SatflowHandler


class ClustersHandler(SatflowHandler):
    """All Dask clusters of flow runs on this machine."""

    @web.authenticated
    @authorized(action="read", resource="satflow_ext:clusters")
    async def get(self) -> None:
        """ClusterList."""
        self.reply(await self.managers.clusters.list_all())
