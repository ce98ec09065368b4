"""The extension application: its managers, which are created and closed together, and its routes."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from http import HTTPStatus
from importlib.util import find_spec
from typing import Any, TypeAlias

from jupyter_server.extension.application import ExtensionApp
from jupyter_server.serverapp import ServerApp
from jupyter_server.services.kernels.kernelmanager import MappingKernelManager
from tornado import web
from tornado.web import RequestHandler
from traitlets import Dict, Int, List, TraitType, Unicode

from satflow_ext.models import StreamFrame, Subscribe
from satflow_ext.server.base_handler import SatflowHandler
from satflow_ext.server.catalogue import (
    CatalogueHandler,
    CatalogueManager,
    ClusterClassHandler,
    NotificationTestHandler,
    SchedulePreviewHandler,
)
from satflow_ext.server.cluster_watch import ClusterWatcherProcess
from satflow_ext.server.clusters import ClusterManager, ClustersHandler, SharedClusterHandler
from satflow_ext.server.deployments import (
    DeploymentHandler,
    DeploymentsHandler,
    PreflightHandler,
    PreflightManager,
    RollbackHandler,
    VersionDiffHandler,
    VersionHandler,
    VersionsHandler,
)
from satflow_ext.server.kernel_bridge import KernelBridge, KernelFlowsHandler
from satflow_ext.server.run_groups import (
    CancelGroupHandler,
    OneRunGroupHandler,
    RetryGroupHandler,
    RunGroupManager,
    RunGroupPlanHandler,
    RunGroupsHandler,
)
from satflow_ext.server.runs import (
    CancelHandler,
    DebugHandler,
    LogHandler,
    RecentRunsHandler,
    RetryHandler,
    RunChangesHandler,
    RunHandler,
    RunManager,
    RunResultHandler,
    RunsHandler,
    RunVersionHandler,
    TaskRunHandler,
    TaskRunsHandler,
)
from satflow_ext.server.stack import StackHandler, StackManager
from satflow_ext.server.stream import StreamHandler
from satflow_ext.session import Session
from satflow_ext.settings import ADMINISTERED, load_settings

ID_PATTERN = r"([^/]+)"
Parts: TypeAlias = "dict[str, object]"
Route: TypeAlias = tuple[str, type[RequestHandler], Parts]


@dataclass(frozen=True)
class Managers:
    """The objects that handlers call: the session, and a manager for each thing that only a Jupyter server does."""

    session: Session
    kernels: KernelBridge
    stack: StackManager
    catalogue: CatalogueManager
    preflight: PreflightManager
    runs: RunManager
    run_groups: RunGroupManager
    clusters: ClusterManager

    @classmethod
    def create(cls, kernel_manager: MappingKernelManager) -> Managers:
        """Create the managers of a server with that kernel manager. The settings are read when they are first needed."""
        stack = StackManager(load_settings)
        kernels = KernelBridge(kernel_manager, stack)
        session = Session(stack)
        runs = RunManager(session, stack)
        return cls(
            session=session,
            kernels=kernels,
            stack=stack,
            catalogue=CatalogueManager(stack, kernels),
            preflight=PreflightManager(stack, kernels),
            runs=runs,
            run_groups=RunGroupManager(session, stack, runs),
            clusters=ClusterManager(stack, ClusterWatcherProcess(stack)),
        )

    def stream_frames(self, request: Subscribe) -> AsyncGenerator[StreamFrame, None]:
        """Return the frames of a subscription, until the topic has ended."""
        if request.topic == "clusters":
            return self.clusters.watch_all()
        if request.run_id is None or request.topic == "runs":
            return self.runs.watch_changes()
        if request.topic == "logs":
            return self.runs.follow_log(request.run_id, request.cursor)
        return self.clusters.watch_cluster(request.run_id)

    async def close(self) -> None:
        """Stop all watchers and followers, then release the lease on the local stack."""
        await self.clusters.close()
        await self.run_groups.close()
        await self.runs.close()
        await self.stack.close()


def _administered(kind: type[TraitType[Any, Any]], purpose: str) -> Any:
    """Return a configurable trait that fixes the setting of the same name."""
    text = f"{purpose}; as in satflow.toml, which it overrides."
    return kind(default_value=None, allow_none=True, help=text).tag(config=True, setting=True)


class SatflowApp(ExtensionApp):
    """SatFlow in a Jupyter server.

    The traits fix settings of this server and of all that it starts: kernels, terminals and the local stack.
    """

    name = "satflow_ext"
    load_other_extensions = True

    prefect_api_url = _administered(Unicode, "The Prefect API, `local` for the local stack of each user")
    work_pool = _administered(Unicode, "The work pool of registrations that do not specify one")
    store = _administered(Unicode, "The name of the store to register with")
    stores = _administered(Dict, "Stores by name")
    gateways = _administered(Dict, "Dask Gateways by name")
    worker_sizes = _administered(Dict, "The available worker sizes")
    disabled_executors = _administered(List, "Names of executors that registrations may not choose")
    run_limit = _administered(Int, "The number of flow runs at a time in the local stack of a user")
    content_limit = _administered(Int, "The maximum size of a flow content, in bytes")

    managers: Managers

    def initialize_settings(self) -> None:
        """Apply the traits and create the managers; nothing is started before it is needed."""
        assert self.serverapp is not None
        self._administer_settings()
        if find_spec("jupyterlab_server"):
            from satflow_ext.server.translations import translate_settings

            translate_settings()
        self.managers = Managers.create(self.serverapp.kernel_manager)

    def _administer_settings(self) -> None:
        """Put the traits into the environment of this process, from which its children get them as well."""
        fixed = {name: value for name, value in self.trait_values(setting=True).items() if value is not None}
        if fixed:
            os.environ[ADMINISTERED] = json.dumps(fixed)

    def current_activity(self) -> list[str] | None:
        """Return the flow runs that a browser follows and that have not ended: such a server is not idle."""
        return self.managers.runs.list_followed() or None

    def initialize_handlers(self) -> None:
        """Register the routes."""
        self.handlers.extend(build_routes(self.managers))

    async def _start_jupyter_server_extension(self, serverapp: ServerApp) -> None:
        """Continue the run groups of another Prefect API than the local stack's."""
        self.managers.run_groups.start_submitting()

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
    run_groups: Parts = {"run_groups": managers.run_groups}
    catalogue: Parts = {"catalogue": managers.catalogue}
    register: Parts = {**session, "kernels": managers.kernels, "settings": lambda: managers.stack.settings}
    return [
        (rf"/satflow/kernels/{ID_PATTERN}/flows", KernelFlowsHandler, {"kernels": managers.kernels}),
        (r"/satflow/catalogue", CatalogueHandler, catalogue),
        (r"/satflow/cluster-classes", ClusterClassHandler, catalogue),
        (r"/satflow/schedules/preview", SchedulePreviewHandler, catalogue),
        (r"/satflow/notifications/test", NotificationTestHandler, catalogue),
        (r"/satflow/preflight", PreflightHandler, {"preflight": managers.preflight}),
        (r"/satflow/deployments", DeploymentsHandler, register),
        (rf"/satflow/deployments/{ID_PATTERN}", DeploymentHandler, session),
        (rf"/satflow/deployments/{ID_PATTERN}/versions", VersionsHandler, session),
        (rf"/satflow/deployments/{ID_PATTERN}/versions/{ID_PATTERN}", VersionHandler, session),
        (rf"/satflow/deployments/{ID_PATTERN}/versions/{ID_PATTERN}/diff/{ID_PATTERN}", VersionDiffHandler, session),
        (rf"/satflow/deployments/{ID_PATTERN}/rollback", RollbackHandler, session),
        (rf"/satflow/deployments/{ID_PATTERN}/cluster", SharedClusterHandler, session),
        (r"/satflow/runs", RunsHandler, {**session, **runs}),
        (r"/satflow/runs/changes", RunChangesHandler, runs),
        (r"/satflow/runs/recent", RecentRunsHandler, session),
        (rf"/satflow/runs/{ID_PATTERN}", RunHandler, session),
        (rf"/satflow/runs/{ID_PATTERN}/cancel", CancelHandler, runs),
        (rf"/satflow/runs/{ID_PATTERN}/retry", RetryHandler, runs),
        (rf"/satflow/runs/{ID_PATTERN}/debug", DebugHandler, {"kernels": managers.kernels}),
        (rf"/satflow/runs/{ID_PATTERN}/log", LogHandler, session),
        (r"/satflow/run-groups", RunGroupsHandler, run_groups),
        (r"/satflow/run-groups/plan", RunGroupPlanHandler, run_groups),
        (rf"/satflow/run-groups/{ID_PATTERN}", OneRunGroupHandler, run_groups),
        (rf"/satflow/run-groups/{ID_PATTERN}/retry", RetryGroupHandler, run_groups),
        (rf"/satflow/run-groups/{ID_PATTERN}/cancel", CancelGroupHandler, run_groups),
        (rf"/satflow/runs/{ID_PATTERN}/version", RunVersionHandler, session),
        (rf"/satflow/runs/{ID_PATTERN}/result", RunResultHandler, session),
        (rf"/satflow/runs/{ID_PATTERN}/tasks", TaskRunsHandler, runs),
        (rf"/satflow/runs/{ID_PATTERN}/tasks/{ID_PATTERN}", TaskRunHandler, session),
        (r"/satflow/clusters", ClustersHandler, {"clusters": managers.clusters}),
        (r"/satflow/stack", StackHandler, {"stack": managers.stack}),
        (r"/satflow/stream", StreamHandler, {"stream_frames": managers.stream_frames}),
        (r"/satflow/.*", UnknownRouteHandler, {}),
    ]
