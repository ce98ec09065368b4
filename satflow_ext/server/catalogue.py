"""The choices of the register form."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from satflow_ext.executors.machine_size import measure_machine
from satflow_ext.models import (
    Catalogue,
    ClusterClass,
    ClusterClassRequest,
    NotificationTest,
    SchedulePreview,
    SchedulePreviewRequest,
)
from satflow_ext.server.base_handler import SatflowHandler
from satflow_ext.server.kernel_bridge import KernelBridge
from satflow_ext.server.lazy_imports import import_prefect_modules
from satflow_ext.server.stack import StackManager


class CatalogueManager:
    """Reads the available executors, worker sizes, work pools and options of cluster classes, and previews schedules.

    Args:
        stack: provides the settings and the address of Prefect.
        kernels: provide the interpreter of a kernel.
    """

    def __init__(self, stack: StackManager, kernels: KernelBridge) -> None:
        self._stack = stack
        self._kernels = kernels

    async def read_catalogue(self) -> Catalogue:
        """Read the current catalog.

        Raises:
            PrefectFailed: the API did not answer.
            StackFailed: the local stack does not run.
        """
        where = await self._stack.endpoints()
        from satflow_ext import executors, runs
        from satflow_ext.deployments import notification_blocks

        machine = measure_machine() if where.local else None
        infos, sizes = executors.build_catalog(self._stack.settings, machine)
        return Catalogue(
            executors=infos,
            worker_sizes=sizes,
            work_pools=await runs.list_work_pools(where.prefect),
            notification_blocks=await notification_blocks.list_blocks(where.prefect),
            default_work_pool=where.work_pool,
            cores=machine.cores if machine else None,
            memory=machine.memory if machine else None,
        )

    async def preview_schedule(self, request: SchedulePreviewRequest) -> SchedulePreview:
        """Compute the next runs of a schedule before it is registered.

        Raises:
            InvalidSchedule: the schedule is not valid.
        """
        await import_prefect_modules()
        from satflow_ext.choices import schedules

        return SchedulePreview(next_runs=await schedules.preview_runs(request.schedule, request.count))

    async def read_class(self, request: ClusterClassRequest) -> ClusterClass:
        """Read the options of a cluster class in the environment of flow runs of a kernel, in a separate process.

        Does not start the local stack.

        Raises:
            KernelNotFound: no kernel has that id.
            UnknownBackEnd: that interpreter has no such class.
            ExtraMissing: a package that the cluster provider needs is not installed.
        """
        from satflow_ext.registration.cluster_class import read_class_form
        from satflow_ext.registration.worker_environment import remote_interpreter

        interpreter = remote_interpreter(self._stack.settings) or self._kernels.find_interpreter(request.kernel_id)
        return await read_class_form(request.name, interpreter)

    async def send_test(self, request: NotificationTest) -> NotificationTest:
        """Send a test message through a block.

        Raises:
            InvalidAutomation: Prefect has no such block, or it cannot send notifications.
            NotificationFailed: Prefect could not send the message.
        """
        where = await self._stack.endpoints()
        from satflow_ext.deployments import notification_blocks

        await notification_blocks.send_test(where.prefect, request.block)
        return request


class CatalogueHandler(SatflowHandler):
    """The choices of the register form."""

    def initialize(self, catalogue: CatalogueManager) -> None:
        """Keep the catalog of this server."""
        self._catalogue = catalogue

    @web.authenticated
    @authorized(action="read", resource="satflow_ext:deployments")
    async def get(self) -> None:
        """Reply with the Catalogue."""
        self.reply(await self._catalogue.read_catalogue())


class SchedulePreviewHandler(SatflowHandler):
    """The next runs of a schedule while the user edits it."""

    def initialize(self, catalogue: CatalogueManager) -> None:
        """Keep the catalog of this server."""
        self._catalogue = catalogue

    @web.authenticated
    @authorized(action="read", resource="satflow_ext:deployments")
    async def post(self) -> None:
        """Preview a schedule: SchedulePreviewRequest → SchedulePreview."""
        self.reply(await self._catalogue.preview_schedule(self.read_body(SchedulePreviewRequest)))


class ClusterClassHandler(SatflowHandler):
    """The options of a cluster class."""

    def initialize(self, catalogue: CatalogueManager) -> None:
        """Keep the catalog of this server."""
        self._catalogue = catalogue

    @web.authenticated
    @authorized(action="execute", resource="satflow_ext:flows")
    async def post(self) -> None:
        """Read the options: ClusterClassRequest → ClusterClass. Needs `execute`, because importing a class runs its module."""
        self.reply(await self._catalogue.read_class(self.read_body(ClusterClassRequest)))


class NotificationTestHandler(SatflowHandler):
    """A test message through a Prefect block."""

    def initialize(self, catalogue: CatalogueManager) -> None:
        """Keep the catalog of this server."""
        self._catalogue = catalogue

    @web.authenticated
    @authorized(action="write", resource="satflow_ext:deployments")
    async def post(self) -> None:
        """Send a message: NotificationTest → NotificationTest."""
        self.reply(await self._catalogue.send_test(self.read_body(NotificationTest)))
