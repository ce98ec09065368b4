"""/satflow/catalogue and /satflow/schedules."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from satflow_ext.models import SchedulePreviewRequest
from satflow_ext.server.base import SatflowHandler


class CatalogueHandler(SatflowHandler):
    """What the register form offers."""

    @web.authenticated
    @authorized(action="read", resource="satflow_ext:deployments")
    async def get(self) -> None:
        """Catalogue."""
        self.reply(await self.managers.catalogue.read())


class SchedulePreviewHandler(SatflowHandler):
    """The next runs of a schedule that is being typed."""

    @web.authenticated
    @authorized(action="read", resource="satflow_ext:deployments")
    async def post(self) -> None:
        """SchedulePreviewRequest → SchedulePreview."""
        self.reply(await self.managers.catalogue.preview(self.read(SchedulePreviewRequest)))
