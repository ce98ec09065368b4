"""What cluster classes can be told, as flow runs of a kernel would find them."""

from __future__ import annotations

from satflow_ext.models import ClusterClass, ClusterClassRequest
from satflow_ext.server.kernels import KernelBridge
from satflow_ext.server.stack import StackManager


class ClusterClassManager:
    """Has cluster classes looked at, in a process of its own each time. The local stack is not started for it.

    Args:
        stack: knows the settings.
        kernels: know which interpreter a kernel has.
    """

    def __init__(self, stack: StackManager, kernels: KernelBridge) -> None:
        self._stack = stack
        self._kernels = kernels

    async def read(self, request: ClusterClassRequest) -> ClusterClass:
        """The form of a class.

        Raises:
            KernelNotFound: no kernel has that id.
            UnknownBackEnd: there is no such class for that interpreter.
            ExtraMissing: what the back end needs is not installed.
        """
        from satflow_ext.registration.cluster_class import form_of
        from satflow_ext.registration.worker_environment import elsewhere

        interpreter = elsewhere(self._stack.settings) or self._kernels.interpreter(request.kernel_id)
        return await form_of(request.name, interpreter)
