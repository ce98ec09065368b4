"""/satflow/kernels."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from satflow_ext.server.base_handler import SatflowHandler


class KernelFlowsHandler(SatflowHandler):
    """The flows of one kernel."""

    @web.authenticated
    @authorized(action="execute", resource="satflow_ext:flows")
    async def get(self, kernel_id: str) -> None:
        """Reply with the FlowList. Needs `execute`, because the request makes the kernel push changes from now on."""
        self.reply(await self.managers.kernels.list_flows(kernel_id))
