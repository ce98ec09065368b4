"""The extension application and its routes: creates the managers, and releases the local stack at the end."""

from __future__ import annotations

from http import HTTPStatus
from typing import TypeAlias

from jupyter_server.extension.application import ExtensionApp
from tornado import web
from tornado.web import RequestHandler

from satflow_ext.server.base_handler import SatflowHandler
from satflow_ext.server.catalogue import CatalogueHandler, SchedulePreviewHandler
from satflow_ext.server.cluster_classes import ClusterClassHandler
from satflow_ext.server.clusters import ClustersHandler, SharedClusterHandler
from satflow_ext.server.deployments import (
    DeploymentHandler,
    DeploymentsHandler,
    RollbackHandler,
    VersionDiffHandler,
    VersionHandler,
    VersionsHandler,
)
from satflow_ext.server.kernel_bridge import KernelFlowsHandler
from satflow_ext.server.managers import Managers
from satflow_ext.server.preflight import PreflightHandler
from satflow_ext.server.runs import CancelHandler, LogHandler, RunHandler, RunsHandler
from satflow_ext.server.stack import StackHandler
from satflow_ext.server.stream import StreamHandler

ID_PATTERN = r"([^/]+)"
Parts: TypeAlias = "dict[str, object]"
Route: TypeAlias = tuple[str, type[RequestHandler], Parts]


class SatflowApp(ExtensionApp):
    """SatFlow in a Jupyter server."""

    name = "satflow_ext"
    load_other_extensions = True

    managers: Managers

    def initialize_settings(self) -> None:
        """Create the managers; nothing is started before it is needed."""
        assert self.serverapp is not None
        self.managers = Managers.create(self.serverapp.kernel_manager)

    def initialize_handlers(self) -> None:
        """Register the routes."""
        self.handlers.extend(build_routes(self.managers))

    async def stop_extension(self) -> None:
        """Release the lease on the local stack, which stops if no other lease exists."""
        await self.managers.close()


class UnknownRouteHandler(SatflowHandler):
    """Replies 404 in JSON, where Jupyter would reply with an HTML page."""

    async def prepare(self) -> None:  # type: ignore[override]  # as APIHandler itself does
        """Reject the request."""
        await super().prepare()
        raise web.HTTPError(HTTPStatus.NOT_FOUND, f"No such route: {self.request.path}")


def build_routes(managers: Managers) -> list[Route]:
    """Return the routes: path, handler, and the arguments of its `initialize`."""
    session: Parts = {"session": managers.session}
    runs: Parts = {"runs": managers.runs}
    catalogue: Parts = {"catalogue": managers.catalogue}
    register: Parts = {**session, "kernels": managers.kernels, "settings": lambda: managers.stack.settings}
    return [
        (rf"/satflow/kernels/{ID_PATTERN}/flows", KernelFlowsHandler, {"kernels": managers.kernels}),
        (r"/satflow/catalogue", CatalogueHandler, catalogue),
        (r"/satflow/cluster-classes", ClusterClassHandler, {"cluster_classes": managers.cluster_classes}),
        (r"/satflow/schedules/preview", SchedulePreviewHandler, catalogue),
        (r"/satflow/preflight", PreflightHandler, {"preflight": managers.preflight}),
        (r"/satflow/deployments", DeploymentsHandler, register),
        (rf"/satflow/deployments/{ID_PATTERN}", DeploymentHandler, session),
        (rf"/satflow/deployments/{ID_PATTERN}/versions", VersionsHandler, session),
        (rf"/satflow/deployments/{ID_PATTERN}/versions/{ID_PATTERN}", VersionHandler, session),
        (rf"/satflow/deployments/{ID_PATTERN}/versions/{ID_PATTERN}/diff/{ID_PATTERN}", VersionDiffHandler, session),
        (rf"/satflow/deployments/{ID_PATTERN}/rollback", RollbackHandler, session),
        (rf"/satflow/deployments/{ID_PATTERN}/cluster", SharedClusterHandler, session),
        (r"/satflow/runs", RunsHandler, {**session, **runs}),
        (rf"/satflow/runs/{ID_PATTERN}", RunHandler, session),
        (rf"/satflow/runs/{ID_PATTERN}/cancel", CancelHandler, runs),
        (rf"/satflow/runs/{ID_PATTERN}/log", LogHandler, session),
        (r"/satflow/clusters", ClustersHandler, {"clusters": managers.clusters}),
        (r"/satflow/stack", StackHandler, {"stack": managers.stack}),
        (r"/satflow/stream", StreamHandler, {"stream_frames": managers.stream_frames}),
        (r"/satflow/.*", UnknownRouteHandler, {}),
    ]
