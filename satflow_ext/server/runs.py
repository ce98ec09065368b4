"""Flow runs: the operations of the browser."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import authorized
from tornado import web

from satflow_ext.endpoints import PrefectApi
from satflow_ext.errors import SatflowError
from satflow_ext.models import (
    DebugRequest,
    ErrorBody,
    ErrorFrame,
    LogsFrame,
    RecentRunsRequest,
    Run,
    RunChangeRequest,
    RunChanges,
    RunList,
    RunQuery,
    RunRequest,
    RunsFrame,
    TaskRunPage,
    TaskRunQuery,
)
from satflow_ext.server.base_handler import SatflowHandler, SessionHandler
from satflow_ext.server.kernel_bridge import KernelBridge
from satflow_ext.server.lazy_imports import import_prefect_modules
from satflow_ext.server.stack import StackManager
from satflow_ext.session import Session

if TYPE_CHECKING:
    from satflow_ext.runs.observers import RunWatcher, SharedFollowers
    from satflow_ext.runs.task_runs import TaskRunBooks


@dataclass(frozen=True)
class RunObservers:
    """The followers, the watcher and the task run books of runs, created for the first request."""

    followers: SharedFollowers
    watcher: RunWatcher
    task_runs: TaskRunBooks


class RunManager:
    """Starts, cancels and retries flow runs, and watches their list and logs for the sidebar.

    Args:
        session: starts, cancels and retries runs.
        stack: provides the address of Prefect.
    """

    def __init__(self, session: Session, stack: StackManager) -> None:
        self._session = session
        self._stack = stack
        self._observers: RunObservers | None = None
        self._followed: Counter[str] = Counter()

    async def start_run(self, request: RunRequest) -> Run:
        """Start a run of a deployment now."""
        run = await self._session.runs.start_run(request)
        self.wake_watcher()
        return run

    async def cancel_run(self, run_id: str) -> Run:
        """Cancel a run."""
        run = await self._session.runs.cancel_run(run_id)
        self.wake_watcher()
        return run

    async def retry_run(self, run_id: str) -> Run:
        """Execute a failed run again, as the same run."""
        run = await self._session.runs.retry_run(run_id)
        self.wake_watcher()
        return run

    async def change_runs(self, request: RunChangeRequest) -> RunChanges:
        """Cancel, retry or delete several runs."""
        changes = await self._session.runs.change_runs(request)
        self.wake_watcher()
        return changes

    async def watch_changes(self) -> AsyncGenerator[RunsFrame, None]:
        """Yield a hint at once, and then whenever the list of runs has changed."""
        watcher = (await self._start_observers()).watcher
        async with aclosing(watcher.watch_changes()) as changes:
            async for _ in changes:
                yield RunsFrame(type="runs.v1")

    async def follow_log(self, run_id: str, cursor: str | None) -> AsyncGenerator[LogsFrame | ErrorFrame, None]:
        """Yield a run's log after a cursor, until it ends. Errors are sent as frames and do not end it."""
        followers = (await self._start_observers()).followers
        with self._count_follower(run_id):
            async with aclosing(_read_log_frames(followers, run_id, cursor)) as frames:
                async for frame in frames:
                    yield frame

    def list_followed(self) -> list[str]:
        """Return the ids of the runs whose log a browser follows, and that have not ended."""
        return sorted(self._followed)

    @contextmanager
    def _count_follower(self, run_id: str) -> Iterator[None]:
        self._followed[run_id] += 1
        try:
            yield
        finally:
            self._followed[run_id] -= 1
            if not self._followed[run_id]:
                del self._followed[run_id]

    async def read_task_runs(self, run_id: str, cursor: str | None) -> TaskRunPage:
        """Return a page of the task runs that changed after a cursor; see `TaskRunBooks.read_changes`."""
        return await (await self._start_observers()).task_runs.read_changes(run_id, cursor)

    async def close(self) -> None:
        """Stop the watcher and the followers."""
        if self._observers is not None:
            await self._observers.watcher.close()
            await self._observers.followers.close()

    async def _start_observers(self) -> RunObservers:
        await import_prefect_modules()
        if self._observers is None:
            from satflow_ext.runs.observers import RunWatcher, SharedFollowers
            from satflow_ext.runs.task_runs import TaskRunBooks

            self._observers = RunObservers(
                SharedFollowers(self._locate_api, self._stack.settings),
                RunWatcher(self._locate_api),
                TaskRunBooks(self._locate_api),
            )
        return self._observers

    async def _locate_api(self) -> PrefectApi:
        return (await self._stack.endpoints()).prefect

    def wake_watcher(self) -> None:
        """Let the watcher read the list of runs now, because some were just changed."""
        if self._observers is not None:
            self._observers.watcher.wake()


async def _read_log_frames(
    followers: SharedFollowers, run_id: str, cursor: str | None
) -> AsyncGenerator[LogsFrame | ErrorFrame, None]:
    async with followers.follow_run(run_id) as book, aclosing(book.read_batches(cursor)) as batches:
        reported_error: SatflowError | None = None
        async for batch in batches:
            if batch.trouble is not None and batch.trouble is not reported_error:
                yield ErrorFrame(
                    type="error.v1", topic="logs", run_id=run_id, error=ErrorBody.from_error(batch.trouble)
                )
            reported_error = batch.trouble
            yield LogsFrame(
                type="logs.v1",
                run_id=run_id,
                reset=batch.reset,
                lines=batch.lines,
                cursor=batch.cursor,
                ended=batch.ended,
            )


class RunsHandler(SatflowHandler):
    """All runs."""

    def initialize(self, session: Session, runs: RunManager) -> None:
        """Keep what lists runs, and what starts them."""
        self._session = session
        self._runs = runs

    @web.authenticated
    @authorized(action="read", resource="satflow_ext:runs")
    async def get(self) -> None:
        """Reply with the RunList."""
        self.reply(RunList(runs=await self._session.runs.list_runs(self.read_query(RunQuery))))

    @web.authenticated
    @authorized(action="execute", resource="satflow_ext:runs")
    async def post(self) -> None:
        """Start a run: RunRequest → Run."""
        self.reply(await self._runs.start_run(self.read_body(RunRequest)), HTTPStatus.CREATED)


class RecentRunsHandler(SessionHandler):
    """The last runs of several deployments."""

    @web.authenticated
    @authorized(action="read", resource="satflow_ext:runs")
    async def post(self) -> None:
        """List them: RecentRunsRequest → RecentRuns."""
        self.reply(await self._session.runs.list_recent_runs(self.read_body(RecentRunsRequest)))


class RunChangesHandler(SatflowHandler):
    """Changes of several runs."""

    def initialize(self, runs: RunManager) -> None:
        """Keep the manager of runs of this server."""
        self._runs = runs

    @web.authenticated
    @authorized(action="execute", resource="satflow_ext:runs")
    async def post(self) -> None:
        """Cancel, retry or delete runs: RunChangeRequest → RunChanges."""
        self.reply(await self._runs.change_runs(self.read_body(RunChangeRequest)))


class RunHandler(SessionHandler):
    """One run."""

    @web.authenticated
    @authorized(action="read", resource="satflow_ext:runs")
    async def get(self, run_id: str) -> None:
        """Reply with the RunDetail."""
        detail = await self._session.runs.read_detail(run_id)
        if detail.failure and detail.failure.notebook:
            path = await self._find_notebook(detail.failure.notebook)
            failure = detail.failure.model_copy(update={"notebook_path": path})
            detail = detail.model_copy(update={"failure": failure})
        self.reply(detail)

    async def _find_notebook(self, recorded: str) -> str | None:
        """Return the path of a notebook for this Jupyter server, None if it does not have the notebook."""
        contents = self.settings["contents_manager"]
        root = str(getattr(contents, "root_dir", "") or os.sep)
        path = await asyncio.to_thread(_path_below, root, recorded)
        try:
            return path if path and await ensure_async(contents.file_exists(path)) else None
        except web.HTTPError:  # such as a hidden folder
            return None


class TaskRunsHandler(SatflowHandler):
    """The task runs of a run."""

    def initialize(self, runs: RunManager) -> None:
        """Keep the manager of runs of this server."""
        self._runs = runs

    @web.authenticated
    @authorized(action="read", resource="satflow_ext:runs")
    async def get(self, run_id: str) -> None:
        """Reply with a TaskRunPage."""
        self.reply(await self._runs.read_task_runs(run_id, self.read_query(TaskRunQuery).cursor))


class TaskRunHandler(SessionHandler):
    """One task run."""

    @web.authenticated
    @authorized(action="read", resource="satflow_ext:runs")
    async def get(self, run_id: str, task_run_id: str) -> None:
        """Reply with the TaskRunDetail."""
        self.reply(await self._session.runs.read_task_run(run_id, task_run_id))


class RunVersionHandler(SessionHandler):
    """The version that a run executes."""

    @web.authenticated
    @authorized(action="read", resource="satflow_ext:runs")
    async def get(self, run_id: str) -> None:
        """Reply with the RunVersion."""
        self.reply(await self._session.runs.read_version(run_id))


class RunResultHandler(SessionHandler):
    """The result of a run."""

    @web.authenticated
    @authorized(action="read", resource="satflow_ext:runs")
    async def get(self, run_id: str) -> None:
        """Reply with the ResultPreview."""
        self.reply(await self._session.runs.preview_result(run_id))


class DebugHandler(SatflowHandler):
    """A run in a kernel."""

    def initialize(self, kernels: KernelBridge) -> None:
        """Keep the bridge to kernels of this server."""
        self._kernels = kernels

    @web.authenticated
    @authorized(action="execute", resource="satflow_ext:flows")
    async def post(self, run_id: str) -> None:
        """Load the run into a kernel: DebugRequest → DebugCell."""
        self.reply(await self._kernels.debug_run(run_id, self.read_body(DebugRequest)))


class CancelHandler(SatflowHandler):
    """The cancellation of a run."""

    def initialize(self, runs: RunManager) -> None:
        """Keep the manager of runs of this server."""
        self._runs = runs

    @web.authenticated
    @authorized(action="execute", resource="satflow_ext:runs")
    async def post(self, run_id: str) -> None:
        """Cancel the run, and reply with the Run, which is Cancelled or Cancelling."""
        self.reply(await self._runs.cancel_run(run_id), HTTPStatus.ACCEPTED)


class RetryHandler(SatflowHandler):
    """The retry of a run."""

    def initialize(self, runs: RunManager) -> None:
        """Keep the manager of runs of this server."""
        self._runs = runs

    @web.authenticated
    @authorized(action="execute", resource="satflow_ext:runs")
    async def post(self, run_id: str) -> None:
        """Execute a failed, crashed or cancelled run again, and reply with the Run."""
        self.reply(await self._runs.retry_run(run_id), HTTPStatus.ACCEPTED)


class LogHandler(SessionHandler):
    """A run's whole log, for download."""

    @web.authenticated
    @authorized(action="read", resource="satflow_ext:runs")
    async def get(self, run_id: str) -> None:
        """Reply with the log as a text file, sent in pieces, so that its length does not matter."""
        async for piece in self._session.runs.stream_whole_log(run_id):
            self._set_file_headers(f"{run_id}.log")
            self.write(piece)
            await self.flush()
        self._set_file_headers(f"{run_id}.log")
        self.finish(set_content_type="text/plain; charset=utf-8")

    def send_error(self, status_code: int = HTTPStatus.INTERNAL_SERVER_ERROR, **kwargs: Any) -> None:
        """Close the connection if a part was already sent, because a truncated log must not look complete."""
        if self._headers_written and not self._finished:
            self.detach().close()
        else:
            super().send_error(status_code, **kwargs)

    def _set_file_headers(self, name: str) -> None:
        """Set the headers of a file, unless they were already sent. Called when the request can no longer be rejected."""
        if not self._headers_written:
            self.set_header("Content-Type", "text/plain; charset=utf-8")
            self.set_attachment_header(name)


def _path_below(root: str, recorded: str) -> str | None:
    """Return the path of a notebook in the form of the contents API, None if it is not below the root folder.

    Args:
        root: the root folder of the Jupyter server.
        recorded: the absolute path of the notebook, or a path below the root folder.
    """
    for resolve in (
        os.path.abspath,
        os.path.realpath,
    ):  # a link below the root may lead elsewhere, or the root may be a link
        path = os.path.relpath(resolve(os.path.join(root, recorded)), resolve(root))
        if path.split(os.sep)[0] != os.pardir:
            return path.replace(os.sep, "/")
    return None
