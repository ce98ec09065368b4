"""Live displays of flow runs in the output of a cell: a thread that replaces the displayed text and table until the runs end.

It uses only Jupyter's `update_display_data` messages, which every front end supports, and no widget.
"""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from satflow_ext.display.group_view import GroupView
from satflow_ext.display.run_view import SHOWN_LINES, RunView
from satflow_ext.errors import SatflowError
from satflow_ext.models import (
    FAILED_POINTS,
    MAX_POINTS,
    TERMINAL_STATES,
    LogLine,
    RunDetail,
    RunGroup,
    RunPoint,
    TaskRun,
)
from satflow_ext.runs.log_book import sort_by_time
from satflow_ext.runs.task_runs import TaskRunBook

if TYPE_CHECKING:
    from IPython.core.display_functions import DisplayHandle

    from satflow_ext.session import Session

UPDATE_PAUSE = 0.5
"""Minimum seconds between two reads of the details, and between two updates."""


class View(Protocol):
    """An object that is displayed as text, or as HTML where the front end supports that."""

    def _repr_html_(self) -> str: ...


class LiveDisplay(ABC):
    """The live displays of one object. All of them show the same."""

    def __init__(self) -> None:
        self._handles: list[DisplayHandle] = []
        self._shown: dict[str, str] = {}
        self._thread: threading.Thread | None = None
        self._end_shown = threading.Event()

    @property
    def is_active(self) -> bool:
        """True while the displays are updated."""
        return self._thread is not None and self._thread.is_alive()

    def show(self) -> None:
        """Display the object in the output of the current cell, and start to update it."""
        from IPython.display import display

        handle = display(self._render(), raw=True, display_id=True)  # type: ignore[no-untyped-call]
        if handle is not None:
            self._handles.append(handle)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run_thread, name="satflow-live-display", daemon=True)
            self._thread.start()

    def wait_until_complete(self) -> None:
        """Wait until the displays show the end. Details may follow."""
        if self._thread is not None:
            self._end_shown.wait()

    @abstractmethod
    async def _follow(self) -> None:
        """Update the displays until nothing will change any more, or the Prefect API no longer answers."""

    @abstractmethod
    def _make_view(self) -> View:
        """Return the current view."""

    def _run_thread(self) -> None:
        try:
            asyncio.run(self._follow())
        finally:
            self._end_shown.set()

    def _update(self) -> None:
        """Send what is new."""
        rendered = self._render()
        if rendered != self._shown:
            self._shown = rendered
            for handle in self._handles:
                handle.update(rendered, raw=True)  # type: ignore[no-untyped-call]

    def _render(self) -> dict[str, Any]:
        view = self._make_view()
        return {"text/plain": repr(view), "text/html": view._repr_html_()}


class LiveRun(LiveDisplay):
    """The live displays of one run.

    Args:
        session: reads the run.
        detail: the run as it is now.
        task_runs: its task runs as they are now.
    """

    def __init__(self, session: Session, detail: RunDetail, task_runs: tuple[TaskRun, ...]) -> None:
        super().__init__()
        self._session = session
        self._detail = detail
        self._task_runs = task_runs
        self._book = TaskRunBook(UUID(detail.run.id))
        self._lines: list[LogLine] = []

    @property
    def lines(self) -> tuple[LogLine, ...]:
        """The last lines of the log that were read."""
        return tuple(self._lines)

    async def _follow(self) -> None:
        """Update the displays until nothing will change any more, or the Prefect API no longer answers."""
        log = asyncio.create_task(self._follow_log())
        try:
            complete = False
            while not complete:
                complete = await self._update_all(log)
                await asyncio.sleep(0 if complete else UPDATE_PAUSE)
        except SatflowError:  # the run was deleted, or the local stack has stopped: the last known state stays
            pass
        finally:
            log.cancel()
            with suppress(asyncio.CancelledError, SatflowError):
                await log

    async def _update_all(self, log: asyncio.Task[None]) -> bool:
        """Update the displays. Return whether the run, its log and its task runs are complete."""
        log_is_complete = log.done()  # before the run is read, so that its state is not older than the log
        self._detail = await self._session.runs.read_detail(self._detail.run.id)
        self._task_runs = await self._session.runs.list_task_runs(self._detail.run.id, self._book)
        self._update()
        if not log_is_complete or self._detail.run.state_type not in TERMINAL_STATES:
            return False
        self._end_shown.set()
        return self._detail.settled or all(each.state_type in TERMINAL_STATES for each in self._task_runs)

    async def _follow_log(self) -> None:
        async with aclosing(self._session.runs.follow_log(self._detail.run.id)) as batches:
            async for batch in batches:
                self._lines = sort_by_time([*self._lines, *batch.lines])[-SHOWN_LINES:]

    def _make_view(self) -> RunView:
        return RunView(self._detail, self._task_runs, self.lines)


class LiveGroup(LiveDisplay):
    """The live displays of one run group.

    Args:
        session: reads the group.
        group: the group as it is now.
    """

    def __init__(self, session: Session, group: RunGroup) -> None:
        super().__init__()
        self._session = session
        self._group = group
        self._points: tuple[RunPoint, ...] = ()

    async def _follow(self) -> None:
        """Update the displays until all runs have ended, or the Prefect API no longer answers."""
        with suppress(SatflowError):  # the local stack has stopped: the last known state stays
            async with aclosing(self._session.run_groups.follow(self._group.id)) as states:
                async for group in states:
                    await self._update_group(group)

    async def _update_group(self, group: RunGroup) -> None:
        before, self._group = self._group, group
        if self._count_failed(before) != self._count_failed(group) or not self._shown:
            self._points = await self._session.run_groups.read_points(self._group.id, limit=MAX_POINTS)
        self._update()

    @staticmethod
    def _count_failed(group: RunGroup) -> int:
        return sum(group.counts.get(state, 0) for state in FAILED_POINTS)

    def _make_view(self) -> GroupView:
        return GroupView(self._group, self._points)
