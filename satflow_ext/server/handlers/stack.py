"""/satflow/stack."""

from __future__ import annotations

from http import HTTPStatus

from jupyter_server.auth.decorator import authorized
from tornado import web

from satflow_ext.server.base_handler import SatflowHandler


class StackHandler(SatflowHandler):
    """The Prefect API and the store in use."""

    @web.authenticated
    @authorized(action="read", resource="satflow_ext:stack")
    async def get(self) -> None:
        """Reply with the StackStatus."""
        self.reply(await self.managers.stack.status())

    @web.authenticated
    @authorized(action="execute", resource="satflow_ext:stack")
    async def post(self) -> None:
        """Start the local stack if it does not run, and reply with the StackStatus without waiting for it."""
        self.reply(await self.managers.stack.start(), HTTPStatus.ACCEPTED)
