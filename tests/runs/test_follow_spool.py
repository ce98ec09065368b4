"""Following the log of a run whose lines are in spool files of this machine."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from datetime import datetime, timedelta, timezone
from uuid import UUID

import pytest
from prefect import flow, get_run_logger
from prefect.states import Completed

from satflow_ext.endpoints import PrefectApi
from satflow_ext.run_logs.spool import SpoolWriter, spool_folder
from satflow_ext.runs import log_follower as following
from satflow_ext.runs.log_book import MAX_DELAY, LogBook
from satflow_ext.runs.log_follower import LogFollower, follow_log
from satflow_ext.settings import load_settings
from tests.flow_runs import log_of, start_run
from tests.run_logs.spooled import line
from tests.runs.book_lines import NOW, text
from tests.runs.book_lines import line as book_line


@pytest.fixture
def here(tmp_path):
    """Settings with a spool of its own, from which no stack uploads."""
    return load_settings().model_copy(update={"state_dir": tmp_path})


@pytest.fixture
def where(prefect) -> Callable[[], Awaitable[PrefectApi]]:
    async def where() -> PrefectApi:
        return prefect.api

    return where


def complete(prefect, run_id: str, ago: timedelta) -> None:
    state = Completed(timestamp=datetime.now(timezone.utc) - ago)
    prefect.ask(lambda client: client.set_flow_run_state(UUID(run_id), state, force=True))


def test_a_log_that_was_not_uploaded_when_its_run_ended_is_read_whole_and_in_order(prefect, here, where):
    """More files than one, and more than is read of a file at once."""
    run_id = prefect.run()
    writer = SpoolWriter(spool_folder(here))
    for number in range(6):
        writer.write_line(line(f"line {number} {'x' * 900_000}", run=run_id))
    complete(prefect, run_id, timedelta(minutes=5))

    async def read() -> list[str]:
        return [
            each.split(" x")[0]
            async for batch in follow_log(where, run_id, settings=here)
            for each in text(batch.lines)
        ]

    assert asyncio.run(read()) == [f"line {number}" for number in range(6)]


def test_a_process_that_goes_on_after_the_run_is_not_waited_for(prefect, here, where, monkeypatch):
    """Of a subflow, whose parent's process has the file open, or of a Dask worker of other runs."""
    monkeypatch.setattr(following, "QUIET_SECONDS", 0.2)
    monkeypatch.setattr(following, "MAX_WRITE_SECONDS", 3600.0)
    run_id = prefect.run()
    writer = SpoolWriter(spool_folder(here))
    writer.write_line(line("line", run=run_id))
    complete(prefect, run_id, timedelta(0))

    async def read() -> list[str]:
        return [each async for batch in follow_log(where, run_id, settings=here) for each in text(batch.lines)]

    assert asyncio.run(read()) == ["line"]


@flow
def kills_its_process():
    get_run_logger().info("the end is near")
    os.kill(os.getpid(), signal.SIGKILL)


def test_the_prefect_worker_s_last_words_are_read_without_waiting_for_more(stack, registered, monkeypatch):
    """It logs the reason of a killed run after the run's state is final; its file is complete when nothing more follows."""
    monkeypatch.setattr(following, "SPOOLED_SETTLE_SECONDS", 3600.0)
    log = log_of(stack, start_run(stack, registered(kills_its_process).deployment.id)).splitlines()
    assert "the end is near" in log
    assert any("submitted to infrastructure" in each for each in log)
    # Lines from before the loading of the flow come through Prefect, maybe later.
    assert any("memory allocation" in each for each in log)


def test_who_stops_watching_leaves_no_file_open(prefect, here, where):
    run_id = prefect.run()
    SpoolWriter(spool_folder(here)).write_line(line("line", run=run_id))

    async def watch() -> None:
        async with aclosing(follow_log(where, run_id, settings=here)) as batches:
            async for batch in batches:
                if batch.lines:
                    break

    asyncio.run(watch())
    before = open_spool_files(here)
    for _ in range(3):
        asyncio.run(watch())
    assert open_spool_files(here) == before


def open_spool_files(here) -> int:
    links = []
    for number in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):
            links.append(os.readlink(f"/proc/self/fd/{number}"))
    return sum(each.startswith(str(spool_folder(here))) for each in links)


def test_what_was_read_when_reading_was_cancelled_is_not_lost(prefect, here, where):
    run_id = prefect.run()
    SpoolWriter(spool_folder(here)).write_line(line("line", run=run_id))

    async def read() -> list[str]:
        follower = LogFollower(where, run_id, here)
        assert follower._spool is not None
        read_new, is_read, may_return = follower._spool.read_new_lines, threading.Event(), threading.Event()

        def slow():
            lines = read_new()
            is_read.set()
            may_return.wait()
            return lines

        follower._spool.read_new_lines = slow
        reading = asyncio.create_task(follower._read_spool())
        await asyncio.to_thread(is_read.wait)
        reading.cancel()
        await asyncio.sleep(0)
        may_return.set()
        with suppress(asyncio.CancelledError):
            await reading
        follower.book.mark_ended()
        return [each async for batch in follower.book.read_batches(None) for each in text(batch.lines)]

    assert asyncio.run(read()) == ["line"]


def test_a_file_that_cannot_be_read_is_told_and_the_rest_of_the_log_comes(prefect, here, where):
    run_id = prefect.run()
    writer = SpoolWriter(spool_folder(here))
    writer.write_line(line("line", run=run_id))
    writer.close()
    unreadable = spool_folder(here) / run_id / "00000000000000000001-1.jsonl"
    unreadable.mkdir()
    complete(prefect, run_id, timedelta(0))

    async def read() -> list[str]:
        return [each async for batch in follow_log(where, run_id, settings=here) for each in text(batch.lines)]

    note, kept = asyncio.run(read())
    assert (f"{unreadable} cannot be read here: Is a directory" in note, kept) == (True, "line")


def test_old_lines_of_a_spool_file_are_taken_although_the_book_has_forgotten_their_time():
    book = LogBook(limit=10)
    book.add_lines(book_line(number * 60) for number in range(100))
    assert book.add_lines([book_line(1)]) == 0, "it may have been here"
    assert book.add_lines([book_line(1)], read_once=True) == 1
    assert NOW + timedelta(minutes=99) > NOW + MAX_DELAY
