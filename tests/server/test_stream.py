"""The websocket: facts as they happen, none lost, none twice, and nobody held up by another."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from prefect.states import Completed

from satflow_ext.clusters.cluster_owner import ClusterOwner
from satflow_ext.clusters.status_builder import StatusBuilder
from satflow_ext.clusters.status_files import StatusFiles
from satflow_ext.models import ClusterFrame, ClustersFrame, ErrorFrame, LogLine, LogsFrame, RunsFrame
from tests.eventually import eventually_async
from tests.prefect_clients import stock_client
from tests.server.new_runs import new_run

POUR = Path(__file__).parents[1] / "runs" / "pour.py"
LINES, RATE = 20_000, 1_000


async def end(api, run_id: str) -> None:
    async with stock_client(api) as client:
        await client.set_flow_run_state(UUID(run_id), Completed(), force=True)


async def pour(api, run_id: str, lines: int, rate: int) -> None:
    """Lines as a flow sends them, from a process of its own; the run ends when they are all sent."""
    environment = {**os.environ, "POUR_API": api.url, "POUR_AUTH": api.auth_string}
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(POUR), run_id, str(lines), str(rate), "late", env=environment
    )
    try:
        assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    await end(api, run_id)


class Reader:
    """What a browser does with frames of one log: append, or begin anew, and keep the cursor."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self.lines: list[LogLine] = []
        self.cursor: str | None = None
        self.resets = 0
        self.ended = False

    async def read(self, tab, enough: int | None = None) -> None:
        await tab.subscribe("logs", self.run_id, self.cursor)
        while not self.ended and (enough is None or len(self.lines) < enough):
            frame = await tab.frame()
            assert isinstance(frame, LogsFrame), frame
            assert len(frame.lines) <= 501
            if frame.reset:
                self.lines.clear()
                self.resets += 1
            self.lines += frame.lines
            self.cursor, self.ended = frame.cursor, frame.ended


def numbers(lines: list[LogLine]) -> list[int]:
    ordered = sorted(lines, key=lambda line: (line.time, line.seq))
    return [int(line.message.removeprefix("line ")) for line in ordered]


async def test_20_000_lines_with_cuts_and_a_stuck_neighbour(open_tab, prefect_api):
    run_id = await new_run(prefect_api)
    reader, late_comer = Reader(run_id), Reader(run_id)

    async def read_with_cuts() -> None:
        for enough in (1_000, 7_000, 12_000, None):
            async with open_tab() as tab:
                await reader.read(tab, enough)

    async with open_tab() as stuck:
        await stuck.subscribe("logs", run_id)
        # It never reads a frame: its socket fills up, and nobody else notices.
        await asyncio.gather(pour(prefect_api, run_id, LINES, RATE), read_with_cuts())
        async with open_tab() as tab:
            await late_comer.read(tab)
    for read in (reader, late_comer):
        assert numbers(read.lines) == list(range(LINES))
        assert [line.seq for line in read.lines] == list(range(LINES))
        assert read.resets == 0


async def test_an_unknown_cursor_begins_anew(open_tab, prefect_api):
    run_id = await new_run(prefect_api)
    await pour(prefect_api, run_id, 10, 100)
    reader = Reader(run_id)
    reader.cursor = "before:7"
    async with open_tab() as tab:
        await reader.read(tab)
    assert (reader.resets, numbers(reader.lines)) == (1, list(range(10)))


async def test_a_run_that_is_not_there(open_tab):
    async with open_tab() as tab:
        await tab.subscribe("logs", "00000000-0000-4000-8000-000000000000")
        frame = await tab.frame()
    assert isinstance(frame, ErrorFrame)
    assert (frame.topic, frame.error.error) == ("logs", "RunNotFound")


@pytest.mark.parametrize(
    "message",
    ["", "{", "[]", '{"type": "subscribe", "topic": "secrets"}', '{"type": "subscribe", "topic": "logs"}', "x" * 5_000],
)
async def test_a_message_that_makes_no_sense(open_tab, message):
    async with open_tab() as tab:
        await tab.socket.write_message(message)
        frame = await tab.frame()
        assert isinstance(frame, ErrorFrame)
        assert frame.error.error == "BadRequest"
        # The socket still serves.
        await tab.subscribe("runs")
        assert isinstance(await tab.frame(), RunsFrame)


async def test_a_hint_when_the_list_of_runs_changes(open_tab, prefect_api):
    async with open_tab() as first, open_tab() as second:
        for tab in (first, second):
            await tab.subscribe("runs")
            assert isinstance(await tab.frame(), RunsFrame)
        run_id = await new_run(prefect_api)
        for tab in (first, second):
            assert isinstance(await tab.frame(), RunsFrame)
        await end(prefect_api, run_id)


async def test_the_cluster_of_a_run_that_has_none(open_tab, prefect_api):
    run_id = await new_run(prefect_api)
    async with open_tab() as tab:
        await tab.subscribe("cluster", run_id)
        frame = await tab.frame()
    assert frame == ClusterFrame(type="cluster.v1", run_id=run_id, status=None, moments=())
    await end(prefect_api, run_id)


async def test_every_cluster_as_it_changes(open_tab, stack):
    board = StatusFiles(stack.settings)
    async with open_tab() as tab:
        await tab.subscribe("clusters")
        before = await tab.frame()
        assert isinstance(before, ClustersFrame)
        told = StatusBuilder(ClusterOwner(str(uuid4()), "flow/tiles", "dask-local", 2, None)).build_starting()
        board.write_status(told)
        assert (await tab.frame()).clusters == (told, *before.clusters)
        board.remove_status(told.run_id)
        assert (await tab.frame()).clusters == before.clusters


async def test_nothing_follows_when_nobody_listens(open_tab, prefect_api, jp_serverapp, stack):
    run_id = await new_run(prefect_api)
    async with open_tab() as tab:
        await tab.subscribe("runs")
        await tab.frame()
        await tab.subscribe("cluster", run_id)
        await tab.frame()
        assert {each.partition(".")[0] for each in watching()} == {"RunWatcher", "Subscriptions"}
    await eventually_async(lambda: not watching(), "the watchers and subscriptions to end", seconds=60)
    await end(prefect_api, run_id)


def watching() -> list[str]:
    """The tasks of watchers and subscriptions that still run in this process, which is the Jupyter server's."""
    names = [task.get_coro().__qualname__ for task in asyncio.all_tasks()]
    return [name for name in names if name.startswith(("RunWatcher", "Subscriptions"))]
