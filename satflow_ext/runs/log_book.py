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
from satflow_ext.run_logs.lines import RunLogLine

MAX_LINES = 200_000
"""Maximum number of lines that are kept of a run. A line takes about 300 bytes and its message: 60 MB and the text."""

MAX_DELAY = timedelta(minutes=5)
"""Maximum delay of a line after its own time at which it can be distinguished from a line that was dropped. Prefect's
loggers send every two seconds, their server accepts lines within a minute even under heavy load, and clocks differ."""

BATCH_LINES = 500
"""Maximum number of lines in a batch."""

BATCH_CHARACTERS = 512 * 1024
"""Maximum number of characters of all messages in a batch; a longer line forms a batch of one."""

MAX_CHARACTERS = 64 * 1024 * 1024
"""Maximum number of characters of messages that are kept of a run."""


@dataclass(frozen=True)
class LogBatch:
    """Lines after a cursor. The fields are those of `models.LogsFrame`; `trouble` is the reason why no lines arrive now."""

    reset: bool
    lines: tuple[LogLine, ...]
    cursor: str
    ended: bool
    trouble: SatflowError | None


class LogBook:
    """An append-only list of lines. A reader keeps only a position, so a slow one costs no memory and delays no other.

    Above `limit` lines, the oldest are dropped, and a reader that has not reached them reads how many are missing. The ids of
    dropped lines are remembered as long as a line of that time could still be new (`MAX_DELAY`). An older line that arrives
    again, as when the whole log is read once more, was already in the book.

    Args:
        limit: maximum number of lines that are kept.
        characters: maximum number of characters of their messages that are kept.
    """

    def __init__(self, limit: int = MAX_LINES, characters: int = MAX_CHARACTERS) -> None:
        self._limit = limit
        self._character_limit = characters
        self._character_count = 0
        self._generation = secrets.token_hex(4)
        self._lines: list[RunLogLine] = []
        self._dropped_count = 0
        self._known_ids: set[bytes] = set()
        self._dropped_ids: deque[tuple[datetime, bytes]] = deque()
        self._horizon: datetime | None = None
        self._ended = False
        self._trouble: SatflowError | None = None
        self._changed = asyncio.Event()

    def add_lines(self, lines: Iterable[RunLogLine], *, read_once: bool = False) -> int:
        """Append the lines that are not in the book yet. Return their number.

        Args:
            lines: lines in any order.
            read_once: True if each line is passed only once, so that even old lines are new.
        """
        added = 0
        for line in lines:
            if line.id not in self._known_ids and (read_once or not self._is_before_horizon(line)):
                self._known_ids.add(line.id)
                self._lines.append(line)
                self._character_count += len(line.message)
                added += 1
        if len(self._lines) > self._limit * 1.1 or self._character_count > self._character_limit * 1.1:
            self._drop_oldest(self._count_above_limits())
        if added:
            self._wake_readers()
        return added

    def mark_ended(self) -> None:
        """Mark the log as ended: no line will follow."""
        self._ended = True
        self._wake_readers()

    def report_trouble(self, trouble: SatflowError | None) -> None:
        """Set the reason why no lines arrive, or None when they arrive again."""
        if type(trouble) is not type(self._trouble):
            self._trouble = trouble
            self._wake_readers()

    async def read_batches(self, cursor: str | None) -> AsyncGenerator[LogBatch, None]:
        """Yield the lines after the cursor, first those in the book and then new ones, until the log has ended.

        The first batch is yielded at once, even if it is empty.
        """
        position, reset = self._parse_cursor(cursor)
        while True:
            changed = self._changed
            lines, position = self._read_from(position)
            ended = self._ended and position == self._end_position
            trouble = self._trouble
            yield LogBatch(reset, lines, f"{self._generation}:{position}", ended, trouble)
            if ended:
                return
            reset = False
            if position == self._end_position:
                await changed.wait()

    @property
    def _end_position(self) -> int:
        return self._dropped_count + len(self._lines)

    def _parse_cursor(self, cursor: str | None) -> tuple[int, bool]:
        """Return the position of a cursor, and whether the reader has to discard its lines."""
        generation, _, seq = (cursor or "").partition(":")
        if generation == self._generation and seq.isascii() and seq.isdigit() and int(seq) <= self._end_position:
            return int(seq), False
        return 0, cursor is not None

    def _read_from(self, position: int) -> tuple[tuple[LogLine, ...], int]:
        missing = self._dropped_count - position
        start = max(0, -missing)
        some = _limit_batch(self._lines[start : start + BATCH_LINES])
        first = self._dropped_count + start
        lines = [_make_log_line(first + at, line) for at, line in enumerate(some)]
        if missing > 0 and some:
            lines.insert(0, _make_gap_line(first - 1, missing, some[0]))
        return tuple(lines), first + len(some)

    def _count_above_limits(self) -> int:
        """Return how many of the oldest lines are above a limit; the newest line is kept, whatever its length."""
        count, characters = max(0, len(self._lines) - self._limit), self._character_count
        characters -= sum(len(line.message) for line in self._lines[:count])
        while characters > self._character_limit and count < len(self._lines) - 1:
            characters -= len(self._lines[count].message)
            count += 1
        return count

    def _drop_oldest(self, count: int) -> None:
        self._character_count -= sum(len(line.message) for line in self._lines[:count])
        self._dropped_ids.extend((line.time, line.id) for line in self._lines[:count])
        del self._lines[:count]
        self._dropped_count += count
        newest = max(line.time for line in self._lines)
        while self._dropped_ids and self._dropped_ids[0][0] < newest - MAX_DELAY:
            time, known = self._dropped_ids.popleft()
            self._known_ids.discard(known)
            self._horizon = max(time, self._horizon or time)

    def _is_before_horizon(self, line: RunLogLine) -> bool:
        """Return whether the line is from a time whose ids are no longer remembered."""
        return self._horizon is not None and line.time <= self._horizon

    def _wake_readers(self) -> None:
        """Wake all waiting readers; later ones wait for the next change."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


def _limit_batch(lines: Sequence[RunLogLine]) -> Sequence[RunLogLine]:
    """Return as many lines as fit into a batch, at least one."""
    characters = 0
    for count, line in enumerate(lines):
        characters += len(line.message)
        if count and characters > BATCH_CHARACTERS:
            return lines[:count]
    return lines


def _make_log_line(seq: int, line: RunLogLine) -> LogLine:
    return LogLine(
        seq=seq,
        id=str(UUID(bytes=line.id)),
        time=line.time,
        level=line.level,
        logger=line.logger,
        message=line.message,
        task_run_id=str(line.task_run_id) if line.task_run_id else None,
    )


def _make_gap_line(seq: int, missing: int, after: RunLogLine) -> LogLine:
    return LogLine(
        seq=seq,
        id=f"gap-{seq}",
        time=after.time,
        level=30,
        logger="satflow",
        message=f"… {missing:,} older lines are not kept here. Download the log to read them.",
        task_run_id=None,
    )


def sort_by_time(lines: Sequence[LogLine]) -> list[LogLine]:
    """Sort lines by the time of writing, and those of the same time by the order in which they were read."""
    return sorted(lines, key=lambda line: (line.time, line.seq))
