"""The route table."""

from __future__ import annotations

from tornado.web import RequestHandler

from satflow_ext.server.handlers.catalogue import CatalogueHandler, SchedulePreviewHandler
from satflow_ext.server.handlers.cluster_classes import ClusterClassHandler
from satflow_ext.server.handlers.clusters import ClustersHandler, SharedClusterHandler
from satflow_ext.server.handlers.deployments import DeploymentHandler, DeploymentsHandler
from satflow_ext.server.handlers.elsewhere import UnknownRouteHandler
from satflow_ext.server.handlers.kernels import KernelFlowsHandler
from satflow_ext.server.handlers.preflight import PreflightHandler
from satflow_ext.server.handlers.runs import CancelHandler, LogHandler, RunHandler, RunsHandler
from satflow_ext.server.handlers.stack import StackHandler
from satflow_ext.server.handlers.stream import StreamHandler
from satflow_ext.server.handlers.versions import (
    RollbackHandler,
    VersionDiffHandler,
    VersionHandler,
    VersionsHandler,
)

ID_PATTERN = r"([^/]+)"

ROUTES: tuple[tuple[str, type[RequestHandler]], ...] = (
    (rf"/satflow/kernels/{ID_PATTERN}/flows", KernelFlowsHandler),
    (r"/satflow/catalogue", CatalogueHandler),
    (r"/satflow/cluster-classes", ClusterClassHandler),
    (r"/satflow/schedules/preview", SchedulePreviewHandler),
    (r"/satflow/preflight", PreflightHandler),
    (r"/satflow/deployments", DeploymentsHandler),
    (rf"/satflow/deployments/{ID_PATTERN}", DeploymentHandler),
    (rf"/satflow/deployments/{ID_PATTERN}/versions", VersionsHandler),
    (rf"/satflow/deployments/{ID_PATTERN}/versions/{ID_PATTERN}", VersionHandler),
    (rf"/satflow/deployments/{ID_PATTERN}/versions/{ID_PATTERN}/diff/{ID_PATTERN}", VersionDiffHandler),
    (rf"/satflow/deployments/{ID_PATTERN}/rollback", RollbackHandler),
    (rf"/satflow/deployments/{ID_PATTERN}/cluster", SharedClusterHandler),
    (r"/satflow/runs", RunsHandler),
    (rf"/satflow/runs/{ID_PATTERN}", RunHandler),
    (rf"/satflow/runs/{ID_PATTERN}/cancel", CancelHandler),
    (rf"/satflow/runs/{ID_PATTERN}/log", LogHandler),
    (r"/satflow/clusters", ClustersHandler),
    (r"/satflow/stack", StackHandler),
    (r"/satflow/stream", StreamHandler),
    (r"/satflow/.*", UnknownRouteHandler),
)
