"""/satflow/deployments/<id>/versions."""

from __future__ import annotations

from http import HTTPStatus

from jupyter_server.auth.decorator import authorized
from tornado import web

from satflow_ext.errors import VersionNotFound
from satflow_ext.models import RollbackRequest, VersionQuery
from satflow_ext.server.base_handler import SatflowHandler

MAX_DIGITS = 9


class VersionsHandler(SatflowHandler):
    """All versions of a deployment."""

    @web.authenticated
    @authorized(action="read", resource="satflow_ext:deployments")
    async def get(self, deployment_id: str) -> None:
        """Reply with a page of the VersionList."""
        self.reply(await self.managers.deployments.list_versions(deployment_id, self.read_query(VersionQuery)))


class VersionHandler(SatflowHandler):
    """One version."""

    @web.authenticated
    @authorized(action="read", resource="satflow_ext:deployments")
    async def get(self, deployment_id: str, version: str) -> None:
        """Reply with the VersionDetail."""
        self.reply(await self.managers.deployments.read_version(deployment_id, _parse_number(version)))


class VersionDiffHandler(SatflowHandler):
    """The comparison of two versions."""

    @web.authenticated
    @authorized(action="read", resource="satflow_ext:deployments")
    async def get(self, deployment_id: str, before: str, after: str) -> None:
        """Reply with the VersionDiff."""
        self.reply(
            await self.managers.deployments.compare_versions(deployment_id, _parse_number(before), _parse_number(after))
        )


class RollbackHandler(SatflowHandler):
    """The rollback to an earlier version."""

    @web.authenticated
    @authorized(action="write", resource="satflow_ext:deployments")
    async def post(self, deployment_id: str) -> None:
        """Roll back: RollbackRequest → Registered. 201 if a version was created, 200 if that version is already live."""
        done = await self.managers.deployments.roll_back(deployment_id, self.read_body(RollbackRequest).version)
        self.reply(done, HTTPStatus.CREATED if done.outcome == "changed" else HTTPStatus.OK)


def _parse_number(text: str) -> int:
    """Parse a version's number.

    Raises:
        VersionNotFound: the text is not a number.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS):
        raise VersionNotFound(f"{text!r} is not a version number.", fix="Versions are numbered 1, 2, 3…")
    return int(text)
