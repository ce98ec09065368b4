"""/satflow/deployments."""

from __future__ import annotations

from http import HTTPStatus

from jupyter_server.auth.decorator import authorized
from tornado import web

from satflow_ext.models import PauseRequest, RegisterRequest
from satflow_ext.server.base_handler import SatflowHandler


class DeploymentsHandler(SatflowHandler):
    """All deployments."""

    @web.authenticated
    @authorized(action="read", resource="satflow_ext:deployments")
    async def get(self) -> None:
        """Reply with the DeploymentList."""
        self.reply(await self.managers.deployments.list_all())

    @web.authenticated
    @authorized(action="write", resource="satflow_ext:deployments")
    async def post(self) -> None:
        """Register a flow: RegisterRequest → Registered. 201 if something was created, 200 if nothing has changed."""
        registered = await self.managers.deployments.register(self.read_body(RegisterRequest))
        self.reply(registered, HTTPStatus.OK if registered.outcome == "unchanged" else HTTPStatus.CREATED)


class DeploymentHandler(SatflowHandler):
    """One deployment."""

    @web.authenticated
    @authorized(action="write", resource="satflow_ext:deployments")
    async def patch(self, deployment_id: str) -> None:
        """Pause or resume all schedules: PauseRequest → Deployment."""
        self.reply(await self.managers.deployments.set_paused(deployment_id, self.read_body(PauseRequest).paused))

    @web.authenticated
    @authorized(action="write", resource="satflow_ext:deployments")
    async def delete(self, deployment_id: str) -> None:
        """Delete the deployment; its runs stay."""
        await self.managers.deployments.delete(deployment_id)
        self.set_status(HTTPStatus.NO_CONTENT)
        self.finish()
