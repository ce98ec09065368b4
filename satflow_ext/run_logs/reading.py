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

from satflow_ext.run_logs.lines import Line, encode_line, make_line, parse_line
from satflow_ext.run_logs.spool import HEADER, files_by_process, is_complete, lost_lines, process_of

CHUNK: Final = 1024 * 1024
"""Maximum number of bytes read from a file at once, unless a single line is longer."""
EPOCH = datetime.fromtimestamp(0, timezone.utc)
NOTE_LEVEL = 40
NOTE_LOGGER = "satflow"


class SpooledLine(NamedTuple):
    """A line of a spool file: its JSON for the API, and the parsed line."""

    text: bytes
    line: Line


class SpoolFile:
    """A spool file that is read from its beginning. It stays open, so it can be read to its end even after its removal.

    Args:
        path: path of the file.

    Raises:
        FileNotFoundError: the file was removed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.end = HEADER
        """Offset after the last complete line that was read."""
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    @property
    def size(self) -> int:
        """Current size of the file in bytes."""
        return os.fstat(self._descriptor).st_size

    def read(self, most: int = CHUNK, most_lines: int | None = None) -> list[SpooledLine]:
        """Read complete lines after `end`; a note replaces each damaged line.

        Args:
            most: maximum number of bytes; a single longer line is read completely.
            most_lines: maximum number of lines, None for no limit.
        """
        data = os.pread(self._descriptor, most, self.end)
        while b"\n" not in data and (more := os.pread(self._descriptor, most, self.end + len(data))):
            data += more
        lines = []
        for text in data.split(b"\n")[:-1][:most_lines]:
            lines.append(self._parse(text))
            self.end += len(text) + 1
        return lines

    def is_complete(self) -> bool:
        """Return whether no process writes to the file any more and every complete line was read."""
        return is_complete(self._descriptor) and not self._has_line()

    def notes(self) -> list[Line]:
        """Return notes for missing lines of a complete file: lines that the disk refused, and a truncated last line."""
        notes: list[Line] = []
        lost, first, reason = lost_lines(os.pread(self._descriptor, HEADER, 0))
        if lost:
            notes.append(note(first or self._changed(), f"… {lost:,} log lines are missing here: {reason}."))
        if self.size > self.end:
            message = "… the last log line is missing: its process ended while it was written."
            notes.append(note(self._changed(), message))
        return notes

    def close(self) -> None:
        """Close the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _has_line(self) -> bool:
        """Return whether there is a complete line after `end`."""
        return any(b"\n" in os.pread(self._descriptor, CHUNK, at) for at in range(self.end, self.size, CHUNK))

    def _parse(self, text: bytes) -> SpooledLine:
        with contextlib.suppress(ValueError):
            return SpooledLine(text, parse_line(text))
        damage = self._damage_note()
        return SpooledLine(encode_line(self.path.parent.name, damage), damage)

    def _changed(self) -> datetime:
        return datetime.fromtimestamp(os.fstat(self._descriptor).st_mtime, timezone.utc)

    def _damage_note(self) -> Line:
        """Create the note for the damaged line at `end`, which is the same for all readers of the file."""
        number = self.path.stem.partition("-")[0]
        begun = EPOCH + timedelta(microseconds=int(number) // 1000 if number.isdecimal() else 0)
        return note(begun, f"… a damaged log line is omitted here ({self.path.name}, byte {self.end:,}).")


class SpoolReader:
    """A reader of all files of one flow run, including files that are added later.

    Args:
        folder: folder of the flow run; it may not exist yet, or may have been removed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._opened: set[Path] = set()
        self._processes: dict[str, deque[SpoolFile]] = {}

    def read_new(self) -> list[Line]:
        """Read the lines added since the last call, at most `CHUNK` bytes per process, each process's lines in order.

        Raises:
            OSError: the folder cannot be read.
        """
        for paths in files_by_process(self._folder):
            self._open(paths)
        lines: list[Line] = []
        for files in self._processes.values():
            while files:
                try:
                    lines += (each.line for each in files[0].read())
                    if not files[0].is_complete():
                        break
                    lines += files[0].notes()
                except OSError as error:
                    message = f"… the log lines of {files[0].path} cannot be read here: {error.strerror}."
                    lines.append(note(datetime.now(timezone.utc), message))
                files.popleft().close()
        return lines

    @property
    def finished(self) -> bool:
        """True if all files found so far are complete and were read to their end."""
        return not any(self._processes.values())

    def close(self) -> None:
        """Close all files."""
        for files in self._processes.values():
            while files:
                files.popleft().close()

    def _open(self, paths: Iterable[Path]) -> None:
        """Open the new files of a process."""
        for path in paths:
            if path not in self._opened:
                with contextlib.suppress(FileNotFoundError):  # uploaded, and therefore in the API
                    self._processes.setdefault(process_of(path), deque()).append(SpoolFile(path))
                self._opened.add(path)

    @property
    def seen(self) -> bool:
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
        self._lines: Iterator[Line] = iter(())
        self._next: Line | None = None

    def load(self) -> None:
        """Read the files. Call this method before reading the Prefect API."""
        lines: list[Line] = []
        try:
            while new := self._reader.read_new():
                lines += new
        finally:
            self._reader.close()
        self._lines = iter(sorted(lines, key=attrgetter("time")))
        self._next = next(self._lines, None)

    def take_until(self, time: datetime | None) -> Iterator[Line]:
        """Yield the lines up to and including a time; None yields all remaining lines."""
        while self._next is not None and (time is None or self._next.time <= time):
            yield self._next
            self._next = next(self._lines, None)


def note(time: datetime, message: str) -> Line:
    """Create a line that replaces missing lines."""
    return make_line(time, NOTE_LEVEL, NOTE_LOGGER, message, None)
