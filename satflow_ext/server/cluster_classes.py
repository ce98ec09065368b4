"""The options of cluster classes, in the environment of flow runs of a kernel."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from satflow_ext.models import ClusterClass, ClusterClassRequest
from satflow_ext.server.base_handler import SatflowHandler
from satflow_ext.server.kernel_bridge import KernelBridge
from satflow_ext.server.stack import StackManager


class ClusterClassManager:
    """Reads the options of cluster classes, each time in a separate process. Does not start the local stack.

    Args:
        stack: provides the settings.
        kernels: provide the interpreter of a kernel.
    """

    def __init__(self, stack: StackManager, kernels: KernelBridge) -> None:
        self._stack = stack
        self._kernels = kernels

    async def read_class(self, request: ClusterClassRequest) -> ClusterClass:
        """Read the form of a class.

        Raises:
            KernelNotFound: no kernel has that id.
            UnknownBackEnd: that interpreter has no such class.
            ExtraMissing: a package that the cluster provider needs is not installed.
        """
        from satflow_ext.registration.cluster_class import read_class_form
        from satflow_ext.registration.worker_environment import remote_interpreter

        interpreter = remote_interpreter(self._stack.settings) or self._kernels.find_interpreter(request.kernel_id)
        return await read_class_form(request.name, interpreter)


class ClusterClassHandler(SatflowHandler):
    """The options of a cluster class."""

    def initialize(self, cluster_classes: ClusterClassManager) -> None:
        """Keep the reader of classes of this server."""
        self._cluster_classes = cluster_classes

    @web.authenticated
    @authorized(action="execute", resource="satflow_ext:flows")
    async def post(self) -> None:
        """Read the options: ClusterClassRequest → ClusterClass. Needs `execute`, because importing a class runs its module."""
        self.reply(await self._cluster_classes.read_class(self.read_body(ClusterClassRequest)))
