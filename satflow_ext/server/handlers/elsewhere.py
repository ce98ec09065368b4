"""Everything under /satflow/ that is no route."""

from __future__ import annotations

from http import HTTPStatus

from tornado import web

from satflow_ext.server.base import SatflowHandler


class ElsewhereHandler(SatflowHandler):
    """Says 404 in JSON, where Jupyter would draw a page."""

    async def prepare(self) -> None:  # type: ignore[override]  # as APIHandler itself does
        """There is nothing here."""
        await super().prepare()
        raise web.HTTPError(HTTPStatus.NOT_FOUND, f"No such route: {self.request.path}")
