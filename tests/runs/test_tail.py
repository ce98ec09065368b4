"""Reading the lines of a run on this machine as they are written."""

from __future__ import annotations

import asyncio
import json
import os
import time
from pathlib import Path
from uuid import uuid4

from satflow_ext import local_log, settings
from satflow_ext.runs.log_book import Line, LogBook
from satflow_ext.runs.tail import tail


def written(message: str) -> bytes:
    said = {"timestamp": "2026-11-21T06:00:00.000001Z", "level": 20, "name": "flow", "task_run_id": None}
    return json.dumps({**said, "message": message}).encode() + b"\n"


def test_lines_come_whole_and_in_order(tmp_path: Path) -> None:
    """A file that comes later, grows by half a line, and is taken away while it is read."""
    file = tmp_path / "lines"
    seen: list[Line] = []

    async def until(count: int) -> None:
        while len(seen) < count:  # noqa: ASYNC110 - the reader has no event for it
            await asyncio.sleep(0.01)

    async def watch() -> None:
        reading = asyncio.create_task(tail(file, seen.extend))
        await asyncio.sleep(0)
        with file.open("wb", buffering=0) as writer:
            writer.write(written("one") + written("two")[:20])
            await until(1)
            writer.write(written("two")[20:])
            await until(2)
            file.unlink()
            writer.write(written("three ä\ud800"))
            await until(3)
        reading.cancel()

    asyncio.run(asyncio.wait_for(watch(), 30))
    assert [line.message for line in seen] == ["one", "two", "three ä\ud800"]
    book = LogBook()
    assert (book.add(seen), book.add(seen)) == (3, 0)


def test_what_a_killed_run_left_is_swept() -> None:
    here = settings.load()
    local_log.make_folder(here)
    left, alive = (local_log.path(here, uuid4()) for _ in range(2))
    for each in (left, alive):
        each.touch()
    long_ago = time.time() - local_log.LEFT - 1
    os.utime(left, (long_ago, long_ago))
    local_log.sweep(here)
    assert (left.exists(), alive.exists()) == (False, True)
    alive.unlink()
