"""/satflow/runs."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from satflow_ext.models import RunQuery, RunRequest
from satflow_ext.server.base import SatflowHandler


class RunsHandler(SatflowHandler):
    """All runs."""

    @web.authenticated
    @authorized(action="read", resource="satflow_ext:runs")
    async def get(self) -> None:
        """RunList."""
        self.reply(await self.managers.runs.list_runs(self.query(RunQuery)))

    @web.authenticated
    @authorized(action="execute", resource="satflow_ext:runs")
    async def post(self) -> None:
        """RunRequest → Run."""
        self.reply(await self.managers.runs.start(self.read(RunRequest)), HTTPStatus.CREATED)


class RunHandler(SatflowHandler):
    """One run."""

    @web.authenticated
    @authorized(action="read", resource="satflow_ext:runs")
    async def get(self, run_id: str) -> None:
        """RunDetail."""
        self.reply(await self.managers.runs.detail(run_id))


class CancelHandler(SatflowHandler):
    """A run's end, asked for."""

    @web.authenticated
    @authorized(action="execute", resource="satflow_ext:runs")
    async def post(self, run_id: str) -> None:
        """Run, Cancelled or on its way there."""
        self.reply(await self.managers.runs.cancel(run_id), HTTPStatus.ACCEPTED)


class LogHandler(SatflowHandler):
    """A run's whole log, for keeping."""

    @web.authenticated
    @authorized(action="read", resource="satflow_ext:runs")
    async def get(self, run_id: str) -> None:
        """Text, as a file; sent piece by piece, so that its length does not matter."""
        async for piece in self.managers.runs.whole_log(run_id):
            self._as_file(f"{run_id}.log")
            self.write(piece)
            await self.flush()
        self._as_file(f"{run_id}.log")
        self.finish(set_content_type="text/plain; charset=utf-8")

    def send_error(self, status_code: int = HTTPStatus.INTERNAL_SERVER_ERROR, **kwargs: Any) -> None:
        """Cut the connection where a part was sent already: a log that breaks off must not look whole."""
        if self._headers_written and not self._finished:
            self.detach().close()
        else:
            super().send_error(status_code, **kwargs)

    def _as_file(self, name: str) -> None:
        """Headers, set when nothing can be refused any more and as long as they have not been sent."""
        if not self._headers_written:
            self.set_header("Content-Type", "text/plain; charset=utf-8")
            self.set_attachment_header(name)
