"""The handler of unknown routes under /satflow/."""

from __future__ import annotations

from http import HTTPStatus

from tornado import web

from satflow_ext.server.base_handler import SatflowHandler


class UnknownRouteHandler(SatflowHandler):
    """Replies 404 in JSON, where Jupyter would reply with an HTML page."""

    async def prepare(self) -> None:  # type: ignore[override]  # as APIHandler itself does
        """Reject the request."""
        await super().prepare()
        raise web.HTTPError(HTTPStatus.NOT_FOUND, f"No such route: {self.request.path}")
