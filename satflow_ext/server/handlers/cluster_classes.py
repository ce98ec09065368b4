"""/satflow/cluster-classes."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from satflow_ext.models import ClusterClassRequest
from satflow_ext.server.base_handler import SatflowHandler


class ClusterClassHandler(SatflowHandler):
    """The options of a cluster class."""

    @web.authenticated
    @authorized(action="execute", resource="satflow_ext:flows")
    async def post(self) -> None:
        """Read the options: ClusterClassRequest → ClusterClass. Needs `execute`, because importing a class runs its module."""
        self.reply(await self.managers.cluster_classes.read_class(self.read_body(ClusterClassRequest)))
