"""Everything the register form offers."""

from __future__ import annotations

from satflow_ext.executors.machine_size import this_machine
from satflow_ext.models import Catalogue, SchedulePreview, SchedulePreviewRequest
from satflow_ext.server.lazy_imports import loaded
from satflow_ext.server.stack import StackManager


class CatalogueManager:
    """Executors, sizes, work pools and schedules to choose from.

    Args:
        stack: says where Prefect is.
    """

    def __init__(self, stack: StackManager) -> None:
        self._stack = stack

    async def read(self) -> Catalogue:
        """The catalogue as it is now.

        Raises:
            PrefectFailed: the API did not answer.
            StackFailed: the local stack does not run.
        """
        where = await self._stack.endpoints()
        from satflow_ext import executors, runs

        machine = this_machine() if where.local else None
        infos, sizes = executors.catalogue(self._stack.settings, machine)
        return Catalogue(
            executors=infos,
            worker_sizes=sizes,
            work_pools=await runs.work_pools(where.prefect),
            default_work_pool=where.work_pool,
            cores=machine.cores if machine else None,
            memory=machine.memory if machine else None,
        )

    async def preview(self, request: SchedulePreviewRequest) -> SchedulePreview:
        """The next runs of a schedule that nobody has registered yet.

        Raises:
            InvalidSchedule: no schedule can be made of it.
        """
        await loaded()
        from satflow_ext.registration import schedules

        return SchedulePreview(next_runs=await schedules.preview(schedules.checked(request.schedule), request.count))
