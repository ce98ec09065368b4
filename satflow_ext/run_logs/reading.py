"""Readers of the spool files of one flow run, either once or as the files grow."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone
from operator import attrgetter
from pathlib import Path
from typing import Final, NamedTuple

from satflow_ext.run_logs.lines import RunLogLine, create_line, encode_line, parse_line
from satflow_ext.run_logs.spool import HEADER_SIZE, files_by_process, is_complete, parse_header, parse_process

CHUNK_SIZE: Final = 1024 * 1024
"""Maximum number of bytes read from a file at once, unless a single line is longer."""
EPOCH = datetime.fromtimestamp(0, timezone.utc)
NOTE_LEVEL = 40
NOTE_LOGGER = "satflow"


class SpooledLine(NamedTuple):
    """A line of a spool file: its JSON for the API, and the parsed line."""

    text: bytes
    line: RunLogLine


class SpoolFile:
    """A spool file that is read from its beginning. It stays open, so it can be read to its end even after its removal.

    Args:
        path: path of the file.

    Raises:
        FileNotFoundError: the file was removed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.read_offset = HEADER_SIZE
        """Offset after the last complete line that was read."""
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    @property
    def size(self) -> int:
        """Current size of the file in bytes."""
        return os.fstat(self._descriptor).st_size

    def read_lines(self, max_bytes: int = CHUNK_SIZE, max_lines: int | None = None) -> list[SpooledLine]:
        """Read complete lines after `end`; a note replaces each damaged line.

        Args:
            max_bytes: maximum number of bytes; a single longer line is read completely.
            max_lines: maximum number of lines, None for no limit.
        """
        data = os.pread(self._descriptor, max_bytes, self.read_offset)
        while b"\n" not in data and (more := os.pread(self._descriptor, max_bytes, self.read_offset + len(data))):
            data += more
        lines = []
        for text in data.split(b"\n")[:-1][:max_lines]:
            lines.append(self._parse_or_note(text))
            self.read_offset += len(text) + 1
        return lines

    def is_complete(self) -> bool:
        """Return whether no process writes to the file any more and every complete line was read."""
        return is_complete(self._descriptor) and not self._has_line()

    def missing_line_notes(self) -> list[RunLogLine]:
        """Return notes for missing lines of a complete file: lines that the disk refused, and a truncated last line."""
        notes: list[RunLogLine] = []
        lost, first, reason = parse_header(os.pread(self._descriptor, HEADER_SIZE, 0))
        if lost:
            notes.append(
                create_note(first or self._modification_time(), f"… {lost:,} log lines are missing here: {reason}.")
            )
        if self.size > self.read_offset:
            message = "… the last log line is missing: its process ended while it was written."
            notes.append(create_note(self._modification_time(), message))
        return notes

    def close(self) -> None:
        """Close the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _has_line(self) -> bool:
        """Return whether there is a complete line after `end`."""
        return any(
            b"\n" in os.pread(self._descriptor, CHUNK_SIZE, at) for at in range(self.read_offset, self.size, CHUNK_SIZE)
        )

    def _parse_or_note(self, text: bytes) -> SpooledLine:
        with contextlib.suppress(ValueError):
            return SpooledLine(text, parse_line(text))
        damage = self._damage_note()
        return SpooledLine(encode_line(self.path.parent.name, damage), damage)

    def _modification_time(self) -> datetime:
        return datetime.fromtimestamp(os.fstat(self._descriptor).st_mtime, timezone.utc)

    def _damage_note(self) -> RunLogLine:
        """Create the note for the damaged line at `end`, which is the same for all readers of the file."""
        number = self.path.stem.partition("-")[0]
        begun = EPOCH + timedelta(microseconds=int(number) // 1000 if number.isdecimal() else 0)
        return create_note(
            begun, f"… a damaged log line is omitted here ({self.path.name}, byte {self.read_offset:,})."
        )


class SpoolReader:
    """A reader of all files of one flow run, including files that are added later.

    Args:
        folder: folder of the flow run; it may not exist yet, or may have been removed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._opened: set[Path] = set()
        self._processes: dict[str, deque[SpoolFile]] = {}

    def read_new_lines(self) -> list[RunLogLine]:
        """Read the lines added since the last call, at most `CHUNK_SIZE` bytes per process, each process's lines in order.

        Raises:
            OSError: the folder cannot be read.
        """
        for paths in files_by_process(self._folder):
            self._open_new_files(paths)
        lines: list[RunLogLine] = []
        for files in self._processes.values():
            while files:
                try:
                    lines += (each.line for each in files[0].read_lines())
                    if not files[0].is_complete():
                        break
                    lines += files[0].missing_line_notes()
                except OSError as error:
                    message = f"… the log lines of {files[0].path} cannot be read here: {error.strerror}."
                    lines.append(create_note(datetime.now(timezone.utc), message))
                files.popleft().close()
        return lines

    @property
    def is_finished(self) -> bool:
        """True if all files found so far are complete and were read to their end."""
        return not any(self._processes.values())

    def close(self) -> None:
        """Close all files."""
        for files in self._processes.values():
            while files:
                files.popleft().close()

    def _open_new_files(self, paths: Iterable[Path]) -> None:
        """Open the new files of a process."""
        for path in paths:
            if path not in self._opened:
                with contextlib.suppress(FileNotFoundError):  # uploaded, and therefore in the API
                    self._processes.setdefault(parse_process(path), deque()).append(SpoolFile(path))
                self._opened.add(path)

    @property
    def has_files(self) -> bool:
        """True if this run has ever had a file."""
        return bool(self._opened)


class SpoolSnapshot:
    """The current lines in the files of one flow run, in the order of their times.

    All files are opened at once, so that a file that is uploaded and removed meanwhile is still read here.

    Args:
        folder: folder of the flow run; it may not exist.
    """

    def __init__(self, folder: Path) -> None:
        self._reader = SpoolReader(folder)
        self._lines: Iterator[RunLogLine] = iter(())
        self._next: RunLogLine | None = None

    def read_files(self) -> None:
        """Read the files. Call this method before reading the Prefect API."""
        lines: list[RunLogLine] = []
        try:
            while new := self._reader.read_new_lines():
                lines += new
        finally:
            self._reader.close()
        self._lines = iter(sorted(lines, key=attrgetter("time")))
        self._next = next(self._lines, None)

    def yield_until(self, time: datetime | None) -> Iterator[RunLogLine]:
        """Yield the lines up to and including a time; None yields all remaining lines."""
        while self._next is not None and (time is None or self._next.time <= time):
            yield self._next
            self._next = next(self._lines, None)


def create_note(time: datetime, message: str) -> RunLogLine:
    """Create a line that replaces missing lines."""
    return create_line(time, NOTE_LEVEL, NOTE_LOGGER, message, None)
