"""The pre-flight report: the kernel's part, and the checks that this server adds."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from satflow_ext.models import Preflight, PreflightRequest
from satflow_ext.server.base_handler import SatflowHandler
from satflow_ext.server.kernel_bridge import KernelBridge
from satflow_ext.server.stack import StackManager


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
