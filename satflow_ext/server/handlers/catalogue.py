"""/satflow/catalogue and /satflow/schedules."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from satflow_ext.models import SchedulePreviewRequest
from satflow_ext.server.base_handler import SatflowHandler


class CatalogueHandler(SatflowHandler):
    """The choices of the register form."""

    @web.authenticated
    @authorized(action="read", resource="satflow_ext:deployments")
    async def get(self) -> None:
        """Reply with the Catalogue."""
        self.reply(await self.managers.catalogue.read_catalogue())


class SchedulePreviewHandler(SatflowHandler):
    """The next runs of a schedule while the user edits it."""

    @web.authenticated
    @authorized(action="read", resource="satflow_ext:deployments")
    async def post(self) -> None:
        """Preview a schedule: SchedulePreviewRequest → SchedulePreview."""
        self.reply(await self.managers.catalogue.preview_schedule(self.read_body(SchedulePreviewRequest)))
