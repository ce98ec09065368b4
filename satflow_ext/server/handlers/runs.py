"""/satflow/runs."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from satflow_ext.models import RunQuery, RunRequest
from satflow_ext.server.base_handler import SatflowHandler


class RunsHandler(SatflowHandler):
    """All runs."""

    @web.authenticated
    @authorized(action="read", resource="satflow_ext:runs")
    async def get(self) -> None:
        """Reply with the RunList."""
        self.reply(await self.managers.runs.list_runs(self.read_query(RunQuery)))

    @web.authenticated
    @authorized(action="execute", resource="satflow_ext:runs")
    async def post(self) -> None:
        """Start a run: RunRequest → Run."""
        self.reply(await self.managers.runs.start_run(self.read_body(RunRequest)), HTTPStatus.CREATED)


class RunHandler(SatflowHandler):
    """One run."""

    @web.authenticated
    @authorized(action="read", resource="satflow_ext:runs")
    async def get(self, run_id: str) -> None:
        """Reply with the RunDetail."""
        self.reply(await self.managers.runs.read_detail(run_id))


class CancelHandler(SatflowHandler):
    """The cancellation of a run."""

    @web.authenticated
    @authorized(action="execute", resource="satflow_ext:runs")
    async def post(self, run_id: str) -> None:
        """Cancel the run, and reply with the Run, which is Cancelled or Cancelling."""
        self.reply(await self.managers.runs.cancel_run(run_id), HTTPStatus.ACCEPTED)


class LogHandler(SatflowHandler):
    """A run's whole log, for download."""

    @web.authenticated
    @authorized(action="read", resource="satflow_ext:runs")
    async def get(self, run_id: str) -> None:
        """Reply with the log as a text file, sent in pieces, so that its length does not matter."""
        async for piece in self.managers.runs.stream_whole_log(run_id):
            self._set_file_headers(f"{run_id}.log")
            self.write(piece)
            await self.flush()
        self._set_file_headers(f"{run_id}.log")
        self.finish(set_content_type="text/plain; charset=utf-8")

    def send_error(self, status_code: int = HTTPStatus.INTERNAL_SERVER_ERROR, **kwargs: Any) -> None:
        """Close the connection if a part was already sent, because a truncated log must not look complete."""
        if self._headers_written and not self._finished:
            self.detach().close()
        else:
            super().send_error(status_code, **kwargs)

    def _set_file_headers(self, name: str) -> None:
        """Set the headers of a file, unless they were already sent. Called when the request can no longer be rejected."""
        if not self._headers_written:
            self.set_header("Content-Type", "text/plain; charset=utf-8")
            self.set_attachment_header(name)
