"""Task runs of a flow run: kept up to date while a browser reads them, and sent to a browser in pages of changes.

The Prefect API cannot list the task runs that changed since a time. Therefore a *task run book* per flow run keeps all of them,
reads new and unfinished ones again for each request of a browser, and numbers the changes. Nothing is read without a request.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import chain, islice, takewhile
from uuid import UUID

from satflow_ext.endpoints import PrefectApi
from satflow_ext.errors import TaskRunNotFound
from satflow_ext.models import (
    TERMINAL_STATES,
    JsonObject,
    TaskRun,
    TaskRunDetail,
    TaskRunInput,
    TaskRunPage,
)
from satflow_ext.prefect_api import PrefectClient, parse_id, prefect_client, replace_not_found
from satflow_ext.prefect_rows import FlowRunRow, TaskInputRow, TaskRunRow
from satflow_ext.runs.run_lookup import find_run, parse_run_id
from satflow_ext.runs.run_rows import convert_states, is_settled

PAGE_SIZE = 200
"""Maximum number of task runs in one response of the Prefect API."""
PAGES_PER_READ = 2
"""Maximum number of pages of new task runs, and of unfinished ones, that one request of a browser reads. Prefect needs up to a
second per page, and a browser shows each answer at once."""
MAX_TASK_RUNS = 20_000
"""Maximum number of task runs of a book; the first ones are kept."""
MAX_BOOKS = 16
"""Maximum number of books of a server; the one that was not read for the longest time is dropped."""
MAX_CHANGES = 1_000
"""Maximum number of task runs in one page for a browser."""
MAX_SOURCES = 100
"""Maximum number of task runs that are listed as the origin of one input."""
MAX_INPUTS = 100_000
"""Maximum number of inputs of all task runs of a book; of further task runs, the first `MAX_SOURCES` inputs are kept."""
MIN_INTERVAL = 0.5
"""Seconds between two reads of a book, so that several tabs cost as much as one."""
CALLERS = "__parents__"
"""Prefect's name among the inputs of a task run for the task run that called it."""
EARLIEST = datetime.min.replace(tzinfo=timezone.utc)
"""Sort key of a task run without an expected start."""


@dataclass(frozen=True)
class _Entry:
    """A task run, and the number of its last change."""

    revision: int
    task_run: TaskRun


class TaskRunBook:
    """The task runs of one flow run, as far as they have been read.

    Args:
        flow_run_id: the flow run.
    """

    def __init__(self, flow_run_id: UUID) -> None:
        self._flow_run_id = flow_run_id
        self._filter: JsonObject = {"flow_run_id": {"any_": [str(flow_run_id)]}}
        self._name = secrets.token_hex(8)
        self._entries: OrderedDict[str, _Entry] = OrderedDict()  # in the order of their last changes
        self._unfinished: OrderedDict[str, None] = OrderedDict()  # the one that was read the longest time ago is first
        self._revision = 0
        self._inputs = 0
        self._total = 0
        self._offset = 0
        self._is_listed = False
        self._final_end: datetime | None = None
        self._read_at = -MIN_INTERVAL
        self._lock = asyncio.Lock()

    async def read_changes(self, client: PrefectClient, cursor: str | None) -> TaskRunPage:
        """Read what is new in Prefect, and return a page of the task runs that changed after a cursor.

        Args:
            client: an open Prefect client.
            cursor: the cursor of an earlier page, or None for all. A cursor of another book counts as None.

        Raises:
            RunNotFound: the flow run was deleted.
            PrefectFailed: the API did not answer.
        """
        await self._update(client)
        return self._make_page(self._parse_cursor(cursor))

    async def read_all(self, client: PrefectClient) -> tuple[TaskRun, ...]:
        """Read what is new in Prefect, and return all task runs, in the order in which they were expected to start.

        Args:
            client: an open Prefect client.

        Raises:
            RunNotFound: the flow run was deleted.
            PrefectFailed: the API did not answer.
        """
        await self._update(client)
        while not self._is_listed:
            await self._update(client)
        found = [entry.task_run for entry in self._entries.values()]
        return tuple(sorted(found, key=lambda each: each.expected_start or EARLIEST))

    async def _update(self, client: PrefectClient) -> None:
        """Read what is new in Prefect, unless that was done a moment ago."""
        async with self._lock:
            if not self._is_listed or time.monotonic() - self._read_at >= MIN_INTERVAL:
                await self._read(client)
                self._read_at = time.monotonic()

    async def _read(self, client: PrefectClient) -> None:
        flow_run = await find_run(client, str(self._flow_run_id))
        if self._final_end is not None and flow_run.end_time == self._final_end:
            return  # everything was read after this end; a run that is retried gets another one
        self._total = await client.count_task_runs(self._filter)
        fresh = await self._read_new(client, flow_run)
        await self._read_unfinished(client, flow_run, fresh)
        is_final = self._is_listed and not self._unfinished and is_settled(flow_run, datetime.now(timezone.utc))
        self._final_end = flow_run.end_time if is_final else None

    async def _read_new(self, client: PrefectClient, flow_run: FlowRunRow) -> set[str]:
        """Continue to list the task runs in the order of their expected start, and return the ids of those that were read.

        Prefect records some task runs late, so that they are before others that are already known. If the number of known ones
        shows that any are missing at the end of the list, the next request begins again.
        """
        fresh: set[str] = set()
        limit = min(self._total, MAX_TASK_RUNS)
        for _ in range(PAGES_PER_READ):
            if len(self._entries) >= limit:
                self._is_listed = True
                break
            page = await client.read_task_runs(self._filter, limit=PAGE_SIZE, offset=self._offset)
            fresh.update(self._take(page, flow_run))
            self._offset += len(page)
            if len(page) < PAGE_SIZE:
                self._is_listed = True
                self._offset = self._offset if len(self._entries) >= limit else 0
                break
        return fresh

    async def _read_unfinished(self, client: PrefectClient, flow_run: FlowRunRow, fresh: set[str]) -> None:
        known = (task_run_id for task_run_id in self._unfinished if task_run_id not in fresh)
        due = list(islice(known, PAGES_PER_READ * PAGE_SIZE))
        for start in range(0, len(due), PAGE_SIZE):
            chosen: JsonObject = {"id": {"any_": [*due[start : start + PAGE_SIZE]]}}
            self._take(await client.read_task_runs(chosen, limit=PAGE_SIZE), flow_run)

    def _take(self, rows: Iterable[TaskRunRow], flow_run: FlowRunRow) -> list[str]:
        now = datetime.now(timezone.utc)
        ids: list[str] = []
        for row in rows:
            task_run = self._limit_inputs(convert_task_run(row, flow_run, now))
            ids.append(task_run.id)
            known = self._entries.get(task_run.id)
            if known is None or known.task_run != task_run:
                self._inputs += len(task_run.inputs) - (len(known.task_run.inputs) if known else 0)
                self._revision += 1
                self._entries[task_run.id] = _Entry(self._revision, task_run)
                self._entries.move_to_end(task_run.id)
            self._unfinished.pop(task_run.id, None)
            if task_run.state_type not in TERMINAL_STATES and not task_run.interrupted:
                self._unfinished[task_run.id] = None
        return ids

    def _limit_inputs(self, task_run: TaskRun) -> TaskRun:
        """Drop inputs that exceed the limit of the book. A known task run has the same ones as before: they never change."""
        known = self._entries.get(task_run.id)
        if known and known.task_run.input_count == task_run.input_count:
            return task_run.model_copy(update={"inputs": known.task_run.inputs})
        limit = max(MAX_SOURCES, MAX_INPUTS - self._inputs)
        return (
            task_run
            if task_run.input_count <= limit
            else task_run.model_copy(update={"inputs": task_run.inputs[:limit]})
        )

    def _parse_cursor(self, cursor: str | None) -> int | None:
        """Return the number of the last change that the browser has, None if it has none of this book."""
        name, _, revision = (cursor or "").partition(":")
        return int(revision) if name == self._name else None

    def _make_page(self, after: int | None) -> TaskRunPage:
        last = after or 0
        newer = list(takewhile(lambda entry: entry.revision > last, reversed(self._entries.values())))[::-1]
        sent = newer[:MAX_CHANGES]
        return TaskRunPage(
            reset=after is None,
            task_runs=tuple(entry.task_run for entry in sent),
            cursor=f"{self._name}:{sent[-1].revision if sent else last}",
            more=len(sent) < len(newer) or not self._is_listed,
            total=max(self._total, len(self._entries)),
            time=datetime.now(timezone.utc),
        )


class TaskRunBooks:
    """The books of one server.

    Args:
        locate_api: returns the Prefect API.
    """

    def __init__(self, locate_api: Callable[[], Awaitable[PrefectApi]]) -> None:
        self._locate_api = locate_api
        self._books: OrderedDict[UUID, TaskRunBook] = OrderedDict()

    async def read_changes(self, run_id: str, cursor: str | None) -> TaskRunPage:
        """Return a page of the task runs of a flow run that changed after a cursor; see `TaskRunBook.read_changes`.

        Raises:
            RunNotFound: Prefect has no flow run with that id.
            PrefectFailed: the API did not answer.
        """
        flow_run_id = parse_run_id(run_id)
        async with prefect_client(await self._locate_api()) as client:
            return await self._find_book(flow_run_id).read_changes(client, cursor)

    def _find_book(self, flow_run_id: UUID) -> TaskRunBook:
        book = self._books.setdefault(flow_run_id, TaskRunBook(flow_run_id))
        self._books.move_to_end(flow_run_id)
        if len(self._books) > MAX_BOOKS:
            self._books.popitem(last=False)
        return book


async def list_task_runs(prefect_api: PrefectApi, run_id: str, book: TaskRunBook | None = None) -> tuple[TaskRun, ...]:
    """List the task runs of a flow run, in the order in which they were expected to start.

    Args:
        prefect_api: the Prefect API.
        run_id: the flow run.
        book: its book, if the caller has listed the task runs before: only changes are read.

    Raises:
        RunNotFound: Prefect has no flow run with that id.
        PrefectFailed: the API did not answer.
    """
    book = book or TaskRunBook(parse_run_id(run_id))
    async with prefect_client(prefect_api) as client:
        return await book.read_all(client)


async def read_task_run(prefect_api: PrefectApi, run_id: str, task_run_id: str) -> TaskRunDetail:
    """Read the history of states and the inputs of one task run of a flow run.

    Raises:
        TaskRunNotFound: the flow run has no task run with that id.
        PrefectFailed: the API did not answer.
    """
    not_found = TaskRunNotFound(
        f"Flow run {run_id!r} has no task run with the id {task_run_id!r}.",
        fix="It may have been deleted: open the run again.",
    )
    id_ = parse_id(task_run_id, not_found)
    async with prefect_client(prefect_api) as client:
        with replace_not_found(not_found):
            row, states = await asyncio.gather(client.read_task_run(id_), client.read_task_run_states(id_))
    if str(row.flow_run_id) != run_id:
        raise not_found
    return TaskRunDetail(
        id=str(row.id),
        states=convert_states(states),
        inputs=tuple(_convert_input(name, sources) for name, sources in row.task_inputs.items() if sources),
    )


def _convert_input(name: str, sources: Sequence[TaskInputRow]) -> TaskRunInput:
    ids = _task_run_ids(sources)
    return TaskRunInput(name=name, task_runs=tuple(ids[:MAX_SOURCES]), count=len(ids))


def _task_run_ids(sources: Iterable[TaskInputRow]) -> list[str]:
    return [str(source.id) for source in sources if source.input_type == "task_run"]


def convert_task_run(row: TaskRunRow, flow_run: FlowRunRow, now: datetime) -> TaskRun:
    """Convert a task run.

    Args:
        row: the task run from Prefect.
        flow_run: its flow run.
        now: the current time, timezone-aware.
    """
    state = row.state_type or "PENDING"
    callers = _task_run_ids(row.task_inputs.get(CALLERS, ()))
    sources = (_task_run_ids(given) for name, given in row.task_inputs.items() if name != CALLERS)
    inputs = tuple(dict.fromkeys(chain.from_iterable(sources)))
    return TaskRun(
        id=str(row.id),
        name=row.name,
        task=_parse_task_name(row.task_key),
        state_type=state,
        state_name=row.state_name or state.capitalize(),
        expected_start=row.expected_start_time,
        start=row.start_time,
        end=row.end_time,
        duration=row.total_run_time.total_seconds(),
        attempts=row.run_count,
        tags=tuple(row.tags),
        interrupted=is_interrupted(state, flow_run, now),
        nested_run_id=_find_nested_run(row),
        inputs=inputs,
        input_count=len(inputs),
        caller=callers[0] if callers else None,
    )


def _find_nested_run(row: TaskRunRow) -> str | None:
    nested_run_id = row.state.state_details.child_flow_run_id if row.state else None
    return str(nested_run_id) if nested_run_id else None


def is_interrupted(state_type: str, flow_run: FlowRunRow, now: datetime) -> bool:
    """Return whether an unfinished task run will never finish, because its flow run is over."""
    return state_type not in TERMINAL_STATES and flow_run.end_time is not None and is_settled(flow_run, now)


def _parse_task_name(task_key: str) -> str:
    """Return the function's name from Prefect's key: the qualified name, a dash, and a hash of the source."""
    return task_key.rpartition("-")[0].rpartition(".")[2] or task_key
