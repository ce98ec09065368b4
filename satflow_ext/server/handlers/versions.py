"""/satflow/deployments/<id>/versions."""

from __future__ import annotations

from http import HTTPStatus

from jupyter_server.auth.decorator import authorized
from tornado import web

from satflow_ext.errors import VersionNotFound
from satflow_ext.models import RollbackRequest, VersionQuery
from satflow_ext.server.base import SatflowHandler

DIGITS = 9


class VersionsHandler(SatflowHandler):
    """All versions of a deployment."""

    @web.authenticated
    @authorized(action="read", resource="satflow_ext:deployments")
    async def get(self, deployment_id: str) -> None:
        """VersionList, a page of it."""
        self.reply(await self.managers.deployments.versions(deployment_id, self.query(VersionQuery)))


class VersionHandler(SatflowHandler):
    """One version."""

    @web.authenticated
    @authorized(action="read", resource="satflow_ext:deployments")
    async def get(self, deployment_id: str, version: str) -> None:
        """VersionDetail."""
        self.reply(await self.managers.deployments.version(deployment_id, _number(version)))


class VersionDiffHandler(SatflowHandler):
    """Two versions side by side."""

    @web.authenticated
    @authorized(action="read", resource="satflow_ext:deployments")
    async def get(self, deployment_id: str, before: str, after: str) -> None:
        """VersionDiff."""
        self.reply(await self.managers.deployments.diff(deployment_id, _number(before), _number(after)))


class RollbackHandler(SatflowHandler):
    """An earlier version, made the newest."""

    @web.authenticated
    @authorized(action="write", resource="satflow_ext:deployments")
    async def post(self, deployment_id: str) -> None:
        """RollbackRequest → Registered: 201 when a version was made, 200 when that one is live already."""
        done = await self.managers.deployments.roll_back(deployment_id, self.read(RollbackRequest).version)
        self.reply(done, HTTPStatus.CREATED if done.outcome == "changed" else HTTPStatus.OK)


def _number(text: str) -> int:
    """A version's number; text that is none names nothing."""
    if not (text.isascii() and text.isdigit() and len(text) <= DIGITS):
        raise VersionNotFound(f"{text!r} is no version's number.", fix="Versions are numbered 1, 2, 3…")
    return int(text)
