"""/satflow/deployments: deployments, their versions, and the registration of a kernel's flow after a pre-flight report."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from http import HTTPStatus

from jupyter_server.auth.decorator import authorized
from tornado import web

from satflow_ext.errors import VersionNotFound
from satflow_ext.executors.worker_usage import UsageStore, suggest_size
from satflow_ext.models import (
    Deployment,
    DeploymentList,
    PauseRequest,
    Preflight,
    PreflightRequest,
    Registered,
    RegisterRequest,
    RollbackRequest,
    VersionQuery,
)
from satflow_ext.server.base_handler import SatflowHandler, SessionHandler
from satflow_ext.server.kernel_bridge import KernelBridge
from satflow_ext.server.stack import StackManager
from satflow_ext.session import Session
from satflow_ext.settings import Settings

MAX_DIGITS = 9
"""Maximum digits of a version number in a URL."""


class DeploymentsHandler(SatflowHandler):
    """All deployments."""

    def initialize(self, session: Session, kernels: KernelBridge, settings: Callable[[], Settings]) -> None:
        """Keep what lists deployments, and what packs flows."""
        self._session = session
        self._kernels = kernels
        self._settings = settings

    @web.authenticated
    @authorized(action="read", resource="satflow_ext:deployments")
    async def get(self) -> None:
        """Reply with the DeploymentList."""
        found = await self._session.deployments.list_all()
        self.reply(DeploymentList(deployments=await asyncio.to_thread(_add_local_facts, found, self._settings())))

    @web.authenticated
    @authorized(action="write", resource="satflow_ext:deployments")
    async def post(self) -> None:
        """Register a flow: RegisterRequest → Registered. 201 if something was created, 200 if nothing has changed."""
        registered = await self._register(self.read_body(RegisterRequest))
        self.reply(registered, HTTPStatus.OK if registered.outcome == "unchanged" else HTTPStatus.CREATED)

    async def _register(self, request: RegisterRequest) -> Registered:
        await self._session.wait_ready()  # before the kernel packs the flow, which may take minutes
        async with self._kernels.pack_flow(request) as packed:
            registration = packed.store_parameters(request.registration)
            return await self._session.register(
                packed, registration, overwrite=request.overwrite, replaces=request.replaces
            )


class DeploymentHandler(SessionHandler):
    """One deployment."""

    @web.authenticated
    @authorized(action="write", resource="satflow_ext:deployments")
    async def patch(self, deployment_id: str) -> None:
        """Pause or resume all schedules: PauseRequest → Deployment."""
        self.reply(await self._session.deployments.set_paused(deployment_id, self.read_body(PauseRequest).paused))

    @web.authenticated
    @authorized(action="write", resource="satflow_ext:deployments")
    async def delete(self, deployment_id: str) -> None:
        """Delete the deployment; its runs stay."""
        await self._session.deployments.delete_deployment(deployment_id)
        self.set_status(HTTPStatus.NO_CONTENT)
        self.finish()


class VersionsHandler(SessionHandler):
    """All versions of a deployment."""

    @web.authenticated
    @authorized(action="read", resource="satflow_ext:deployments")
    async def get(self, deployment_id: str) -> None:
        """Reply with a page of the VersionList."""
        self.reply(await self._session.deployments.list_versions(deployment_id, self.read_query(VersionQuery)))


class VersionHandler(SessionHandler):
    """One version."""

    @web.authenticated
    @authorized(action="read", resource="satflow_ext:deployments")
    async def get(self, deployment_id: str, version: str) -> None:
        """Reply with the VersionDetail."""
        self.reply(await self._session.deployments.read_version(deployment_id, _parse_number(version)))


class VersionDiffHandler(SessionHandler):
    """The comparison of two versions."""

    @web.authenticated
    @authorized(action="read", resource="satflow_ext:deployments")
    async def get(self, deployment_id: str, before: str, after: str) -> None:
        """Reply with the VersionDiff."""
        self.reply(
            await self._session.deployments.compare_versions(deployment_id, _parse_number(before), _parse_number(after))
        )


class RollbackHandler(SessionHandler):
    """The rollback to an earlier version."""

    @web.authenticated
    @authorized(action="write", resource="satflow_ext:deployments")
    async def post(self, deployment_id: str) -> None:
        """Roll back: RollbackRequest → Registered. 201 if a version was created, 200 if that version is already live."""
        done = await self._session.deployments.roll_back(deployment_id, self.read_body(RollbackRequest).version)
        self.reply(done, HTTPStatus.CREATED if done.outcome == "changed" else HTTPStatus.OK)


def _parse_number(text: str) -> int:
    """Parse a version's number.

    Raises:
        VersionNotFound: the text is not a number.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS):
        raise VersionNotFound(f"{text!r} is not a version number.", fix="Versions are numbered 1, 2, 3…")
    return int(text)


class PreflightManager:
    """Creates pre-flight reports without sending anything. Does not start the local stack.

    Args:
        stack: provides the settings.
        kernels: inspect flows and pack them.
    """

    def __init__(self, stack: StackManager, kernels: KernelBridge) -> None:
        self._stack = stack
        self._kernels = kernels

    async def create_report(self, request: PreflightRequest) -> Preflight:
        """Create the report on a kernel's flow.

        Raises:
            KernelUnavailable: the kernel cannot reply now.
            FlowNotFound: it has no such flow.
            InvalidParameter: a value does not match the flow's signature.
        """
        found = await self._kernels.read_preflight(request)
        from satflow_ext.registration import preflight

        settings = self._stack.settings
        report = preflight.add_choice_findings(found, request.registration, settings)
        report = await preflight.add_work_pool_findings(report, request.registration, settings)
        if not request.rehearse or report.has_errors:
            return report
        async with self._kernels.pack_flow(request) as packed:
            return await preflight.add_clean_load(report, packed, request.registration, settings)


class PreflightHandler(SatflowHandler):
    """The pre-flight report of a flow."""

    def initialize(self, preflight: PreflightManager) -> None:
        """Keep the manager of reports of this server."""
        self._preflight = preflight

    @web.authenticated
    @authorized(action="execute", resource="satflow_ext:flows")
    async def post(self) -> None:
        """Create the report: PreflightRequest → Preflight. Needs `execute`, because it runs the objects' pickling methods."""
        self.reply(await self._preflight.create_report(self.read_body(PreflightRequest)))


def _add_local_facts(found: tuple[Deployment, ...], settings: Settings) -> tuple[Deployment, ...]:
    """Add this machine's data to each deployment: how much of their worker sizes its runs used, and its notebook's file."""
    needs = UsageStore(settings)
    return tuple(
        each.model_copy(
            update={
                "needed": suggest_size(needs.read_runs(f"{each.flow_name}/{each.name}"), settings),
                "notebook_file": _resolve_file(each.notebook),
            }
        )
        for each in found
    )


def _resolve_file(path: str | None) -> str | None:
    """Return an absolute path with its symbolic links resolved, None if this machine has no such file."""
    return os.path.realpath(path) if path and os.path.isabs(path) and os.path.isfile(path) else None
