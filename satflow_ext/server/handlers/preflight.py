"""/satflow/preflight."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from satflow_ext.models import PreflightRequest
from satflow_ext.server.base_handler import SatflowHandler


class PreflightHandler(SatflowHandler):
    """The pre-flight report of a flow."""

    @web.authenticated
    @authorized(action="execute", resource="satflow_ext:flows")
    async def post(self) -> None:
        """Create the report: PreflightRequest → Preflight. Needs `execute`, because it runs the objects' pickling methods."""
        self.reply(await self.managers.preflight.create_report(self.read_body(PreflightRequest)))
