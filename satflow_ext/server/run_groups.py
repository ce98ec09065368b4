"""Run groups: the operations of the browser, and the submission of groups for another Prefect API than the local stack's."""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus

from jupyter_server.auth.decorator import authorized
from tornado import web

from satflow_ext.errors import SatflowError
from satflow_ext.models import (
    RunGroup,
    RunGroupDetail,
    RunGroupList,
    RunGroupPlan,
    RunGroupQuery,
    RunGroupRequest,
)
from satflow_ext.server.base_handler import SatflowHandler
from satflow_ext.server.runs import RunManager
from satflow_ext.server.stack import StackManager
from satflow_ext.session import Session
from satflow_ext.task_cancellation import cancel_task

CHECK_PAUSE = 5.0
"""Seconds between two checks for groups of another Prefect API. A check reads one entry of a folder."""

log = logging.getLogger(__name__)


class RunGroupManager:
    """Starts, repairs and cancels run groups, and submits those of another Prefect API while the server runs.

    Args:
        session: the operations on groups.
        stack: provides the settings.
        runs: is notified of new and cancelled runs.
    """

    def __init__(self, session: Session, stack: StackManager, runs: RunManager) -> None:
        self._groups = session.run_groups
        self._stack = stack
        self._runs = runs
        self._task: asyncio.Task[None] | None = None

    def start_submitting(self) -> None:
        """Submit the groups of another Prefect API from now on. Those of the local stack are submitted by the stack."""
        if self._task is None:
            self._task = asyncio.create_task(self._submit_periodically())

    async def close(self) -> None:
        """Stop submitting. The next server, or a process that waits for a group, continues."""
        task, self._task = self._task, None
        if task is not None:
            await cancel_task(task)

    async def plan(self, request: RunGroupRequest) -> RunGroupPlan:
        """Determine the runs that a request would start."""
        return await self._groups.plan(request)

    async def start(self, request: RunGroupRequest) -> RunGroup:
        """Start the runs of a request."""
        group = await self._groups.start(request)
        self._runs.wake_watcher()
        return group

    async def list_all(self) -> RunGroupList:
        """List the newest groups."""
        return RunGroupList(groups=await self._groups.list_all())

    async def read_detail(self, group_id: str, query: RunGroupQuery) -> RunGroupDetail:
        """Read a group and a page of its points."""
        group = await self._groups.read_group(group_id, every_run=True)
        points = await self._groups.read_points(group.id, limit=query.limit, offset=query.offset)
        return RunGroupDetail(group=group, points=points)

    async def run_failed_again(self, group_id: str) -> RunGroup:
        """Start new runs of the failed points."""
        group = await self._groups.run_failed_again(group_id)
        self._runs.wake_watcher()
        return group

    async def cancel(self, group_id: str) -> RunGroup:
        """Cancel all runs that have not ended, and all points that have not started."""
        group = await self._groups.cancel(group_id)
        self._runs.wake_watcher()
        return group

    async def _submit_periodically(self) -> None:
        try:
            settings = await asyncio.to_thread(lambda: self._stack.settings)
        except SatflowError:  # requests report the reason
            return
        if settings.prefect_api_url is None:
            return
        while True:
            try:
                await self._groups.submit_until_done()
            except SatflowError as error:  # such as a store of the local stack that does not run
                log.warning("Run groups are not submitted: %s", error.for_log())
            except Exception:  # the boundary of the loop
                log.exception("Submitting run groups failed; the next attempt is in %s s.", CHECK_PAUSE)
            await asyncio.sleep(CHECK_PAUSE)


class RunGroupHandler(SatflowHandler):
    """A handler of run groups."""

    def initialize(self, run_groups: RunGroupManager) -> None:
        """Keep the manager of run groups of this server."""
        self._groups = run_groups


class RunGroupsHandler(RunGroupHandler):
    """All run groups."""

    @web.authenticated
    @authorized(action="read", resource="satflow_ext:runs")
    async def get(self) -> None:
        """Reply with the RunGroupList."""
        self.reply(await self._groups.list_all())

    @web.authenticated
    @authorized(action="execute", resource="satflow_ext:runs")
    async def post(self) -> None:
        """Start or continue a group: RunGroupRequest → RunGroup."""
        self.reply(await self._groups.start(self.read_body(RunGroupRequest)), HTTPStatus.CREATED)


class RunGroupPlanHandler(RunGroupHandler):
    """The preview of a run group."""

    @web.authenticated
    @authorized(action="read", resource="satflow_ext:runs")
    async def post(self) -> None:
        """Determine the runs that a request would start: RunGroupRequest → RunGroupPlan."""
        self.reply(await self._groups.plan(self.read_body(RunGroupRequest)))


class OneRunGroupHandler(RunGroupHandler):
    """One run group."""

    @web.authenticated
    @authorized(action="read", resource="satflow_ext:runs")
    async def get(self, group_id: str) -> None:
        """Reply with the RunGroupDetail."""
        self.reply(await self._groups.read_detail(group_id, self.read_query(RunGroupQuery)))


class RetryGroupHandler(RunGroupHandler):
    """New runs of the failed points of a group."""

    @web.authenticated
    @authorized(action="execute", resource="satflow_ext:runs")
    async def post(self, group_id: str) -> None:
        """Start the runs, and reply with the RunGroup."""
        self.reply(await self._groups.run_failed_again(group_id), HTTPStatus.ACCEPTED)


class CancelGroupHandler(RunGroupHandler):
    """The cancellation of a group."""

    @web.authenticated
    @authorized(action="execute", resource="satflow_ext:runs")
    async def post(self, group_id: str) -> None:
        """Cancel the group, and reply with the RunGroup."""
        self.reply(await self._groups.cancel(group_id), HTTPStatus.ACCEPTED)
