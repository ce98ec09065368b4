"""/satflow/cluster-classes."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from satflow_ext.models import ClusterClassRequest
from satflow_ext.server.base import SatflowHandler


class ClusterClassHandler(SatflowHandler):
    """What a cluster class can be told."""

    @web.authenticated
    @authorized(action="execute", resource="satflow_ext:flows")
    async def post(self) -> None:
        """ClusterClassRequest → ClusterClass. Importing a class runs code: that of its module."""
        self.reply(await self.managers.cluster_classes.read(self.read(ClusterClassRequest)))
