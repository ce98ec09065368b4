"""The lines of one run's log in the order in which they were read, shared by all of its readers."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from satflow_ext.errors import SatflowError
from satflow_ext.models import LogLine
from satflow_ext.run_logs.lines import Line

LINES = 200_000
"""Maximum number of lines that are kept of a run. A line takes about 300 bytes and its message: 60 MB and the text."""

LATEST = timedelta(minutes=5)
"""Maximum delay of a line after its own time at which it can be distinguished from a line that was dropped. Prefect's
loggers send every two seconds, their server accepts lines within a minute even under heavy load, and clocks differ."""

BATCH = 500
"""Maximum number of lines in a batch."""

BATCH_CHARACTERS = 512 * 1024
"""Maximum number of characters of all messages in a batch; a longer line forms a batch of one."""

CHARACTERS = 64 * 1024 * 1024
"""Maximum number of characters of messages that are kept of a run."""


@dataclass(frozen=True)
class Batch:
    """Lines after a cursor. The fields are those of `models.LogsFrame`; `trouble` is the reason why no lines arrive now."""

    reset: bool
    lines: tuple[LogLine, ...]
    cursor: str
    ended: bool
    trouble: SatflowError | None


class LogBook:
    """An append-only list of lines. A reader keeps only a position, so a slow one costs no memory and delays no other.

    Above `limit` lines, the oldest are dropped, and a reader that has not reached them reads how many are missing. The ids of
    dropped lines are remembered as long as a line of that time could still be new (`LATEST`). An older line that arrives again,
    as when the whole log is read once more, was already in the book.

    Args:
        limit: maximum number of lines that are kept.
        characters: maximum number of characters of their messages that are kept.
    """

    def __init__(self, limit: int = LINES, characters: int = CHARACTERS) -> None:
        self._limit = limit
        self._most_characters = characters
        self._characters = 0
        self._generation = secrets.token_hex(4)
        self._lines: list[Line] = []
        self._forgotten = 0
        self._known: set[bytes] = set()
        self._fading: deque[tuple[datetime, bytes]] = deque()
        self._horizon: datetime | None = None
        self._ended = False
        self._trouble: SatflowError | None = None
        self._changed = asyncio.Event()

    def add(self, lines: Iterable[Line], *, read_once: bool = False) -> int:
        """Append the lines that are not in the book yet. Return their number.

        Args:
            lines: lines in any order.
            read_once: True if each line is passed only once, so that even old lines are new.
        """
        added = 0
        for line in lines:
            if line.id not in self._known and (read_once or not self._past(line)):
                self._known.add(line.id)
                self._lines.append(line)
                self._characters += len(line.message)
                added += 1
        if len(self._lines) > self._limit * 1.1 or self._characters > self._most_characters * 1.1:
            self._forget(self._count_above_limits())
        if added:
            self._tell()
        return added

    def end(self) -> None:
        """Mark the log as ended: no line will follow."""
        self._ended = True
        self._tell()

    def report(self, trouble: SatflowError | None) -> None:
        """Set the reason why no lines arrive, or None when they arrive again."""
        if type(trouble) is not type(self._trouble):
            self._trouble = trouble
            self._tell()

    async def batches(self, cursor: str | None) -> AsyncGenerator[Batch, None]:
        """Yield the lines after the cursor, first those in the book and then new ones, until the log has ended.

        The first batch is yielded at once, even if it is empty.
        """
        position, reset = self._position(cursor)
        while True:
            changed = self._changed
            lines, position = self._from(position)
            ended = self._ended and position == self._end
            trouble = self._trouble
            yield Batch(reset, lines, f"{self._generation}:{position}", ended, trouble)
            if ended:
                return
            reset = False
            if position == self._end:
                await changed.wait()

    @property
    def _end(self) -> int:
        return self._forgotten + len(self._lines)

    def _position(self, cursor: str | None) -> tuple[int, bool]:
        """Return the position of a cursor, and whether the reader has to discard its lines."""
        generation, _, seq = (cursor or "").partition(":")
        if generation == self._generation and seq.isascii() and seq.isdigit() and int(seq) <= self._end:
            return int(seq), False
        return 0, cursor is not None

    def _from(self, position: int) -> tuple[tuple[LogLine, ...], int]:
        missing = self._forgotten - position
        start = max(0, -missing)
        some = _first_of(self._lines[start : start + BATCH])
        first = self._forgotten + start
        lines = [_wire(first + at, line) for at, line in enumerate(some)]
        if missing > 0 and some:
            lines.insert(0, _gap(first - 1, missing, some[0]))
        return tuple(lines), first + len(some)

    def _count_above_limits(self) -> int:
        """Return how many of the oldest lines are above a limit; the newest line is kept, whatever its length."""
        count, characters = max(0, len(self._lines) - self._limit), self._characters
        characters -= sum(len(line.message) for line in self._lines[:count])
        while characters > self._most_characters and count < len(self._lines) - 1:
            characters -= len(self._lines[count].message)
            count += 1
        return count

    def _forget(self, count: int) -> None:
        self._characters -= sum(len(line.message) for line in self._lines[:count])
        self._fading.extend((line.time, line.id) for line in self._lines[:count])
        del self._lines[:count]
        self._forgotten += count
        newest = max(line.time for line in self._lines)
        while self._fading and self._fading[0][0] < newest - LATEST:
            time, known = self._fading.popleft()
            self._known.discard(known)
            self._horizon = max(time, self._horizon or time)

    def _past(self, line: Line) -> bool:
        """Return whether the line is from a time whose ids are no longer remembered."""
        return self._horizon is not None and line.time <= self._horizon

    def _tell(self) -> None:
        """Wake all waiting readers; later ones wait for the next change."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


def _first_of(lines: Sequence[Line]) -> Sequence[Line]:
    """Return as many lines as fit into a batch, at least one."""
    characters = 0
    for count, line in enumerate(lines):
        characters += len(line.message)
        if count and characters > BATCH_CHARACTERS:
            return lines[:count]
    return lines


def _wire(seq: int, line: Line) -> LogLine:
    return LogLine(
        seq=seq,
        id=str(UUID(bytes=line.id)),
        time=line.time,
        level=line.level,
        logger=line.logger,
        message=line.message,
        task_run_id=str(line.task_run_id) if line.task_run_id else None,
    )


def _gap(seq: int, missing: int, after: Line) -> LogLine:
    return LogLine(
        seq=seq,
        id=f"gap-{seq}",
        time=after.time,
        level=30,
        logger="satflow",
        message=f"… {missing:,} older lines are not kept here. Download the log to read them.",
        task_run_id=None,
    )


def sorted_by_time(lines: Sequence[LogLine]) -> list[LogLine]:
    """Sort lines by the time of writing, and those of the same time by the order in which they were read."""
    return sorted(lines, key=lambda line: (line.time, line.seq))
