"""Progress of long-running cells in an executed notebook: lines in a log, one updated line on a terminal."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import TextIO

from satflow_ext.task_cancellation import cancel_task

FIRST_DELAY = 10.0
"""Seconds before the first line."""

MAX_DELAY = 600.0
"""Maximum seconds between two lines."""

CLEAR_LINE = "\r\x1b[K"
"""Control characters that empty a terminal's line."""


def growing_delays() -> Iterator[float]:
    """Yield the seconds to wait before each line of a log: 10, then always twice as many, up to 600."""
    delay = FIRST_DELAY
    while True:
        yield delay
        delay = min(2 * delay, MAX_DELAY)


def steady_delays() -> Iterator[float]:
    """Yield the seconds to wait before each change of a terminal's line: 10, then 1."""
    yield FIRST_DELAY
    while True:
        yield 1.0


class CellProgress:
    """Progress reports on a long-running cell: which one is running, and for how long.

    Args:
        stream: the output; a terminal's line is updated in place.
        delays: returns an iterator of the seconds to wait before each update about one cell.
    """

    def __init__(self, stream: TextIO, delays: Callable[[], Iterator[float]] | None = None) -> None:
        self._stream = stream
        self._in_place = stream.isatty()
        self._delays = delays or (steady_delays if self._in_place else growing_delays)

    @asynccontextmanager
    async def reporting(self, cell: str) -> AsyncIterator[None]:
        """Report on a cell while the block runs.

        Args:
            cell: the cell, such as "Cell 3 of tiles.ipynb".
        """
        task = asyncio.create_task(self._report_until_cancelled(cell))
        try:
            yield
        finally:
            await cancel_task(task)

    async def _report_until_cancelled(self, cell: str) -> None:
        begun, written = time.monotonic(), False
        try:
            for delay in self._delays():
                await asyncio.sleep(delay)
                self._write(f"… {cell} has been running for {duration_text(time.monotonic() - begun)}")
                written = True
        finally:
            if written and self._in_place:
                self._stream.write(CLEAR_LINE)
                self._stream.flush()

    def _write(self, text: str) -> None:
        self._stream.write(f"{CLEAR_LINE}{text}" if self._in_place else f"{text}\n")
        self._stream.flush()


def duration_text(seconds: float) -> str:
    """Format a duration: 12 s, 3 min 5 s, 1 h 0 min."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
