"""Reading the lines that a flow run of this machine writes, as they are written."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from sys import intern
from uuid import UUID

from satflow_ext.runs.log_book import Line, identity

LOOK = 0.1
"""Seconds between two looks at the file."""

CHUNK = 1024 * 1024
"""The most bytes that are read at once."""


async def tail(file: Path, take: Callable[[Iterable[Line]], object]) -> None:
    """Read the file from its beginning, now and as it grows. Ends only by being cancelled.

    Args:
        file: may come later, or never. It stays open, so lines that are written before it is taken away are read.
        take: given the lines that are new.
    """
    while not file.exists():  # noqa: ASYNC110 - another process makes it
        await asyncio.sleep(LOOK)
    with file.open("rb") as source:
        begun = b""
        while True:
            read = await asyncio.to_thread(source.read, CHUNK)
            *whole, begun = (begun + read).split(b"\n")
            if whole:
                take(list(_lines(whole)))
            if len(read) < CHUNK:
                await asyncio.sleep(LOOK)


def _lines(written: Iterable[bytes]) -> Iterator[Line]:
    for each in written:
        said = json.loads(each)
        time = datetime.fromisoformat(said["timestamp"].replace("Z", "+00:00"))
        task_run_id = UUID(said["task_run_id"]) if said["task_run_id"] else None
        told = (time, said["level"], intern(said["name"]), said["message"], task_run_id)
        yield Line(identity(*told), *told)
