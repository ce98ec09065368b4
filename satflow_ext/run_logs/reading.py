"""Reading the spool files of one flow run, once or as they grow."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timezone
from operator import attrgetter
from pathlib import Path
from typing import Final

from satflow_ext.run_logs.lines import Line, make_line, parse_line
from satflow_ext.run_logs.spool import HEADER, SUFFIX, is_complete, lost_lines

CHUNK: Final = 1024 * 1024
"""The most bytes of a file that are read at once, unless a single line is longer."""
NOTE_LEVEL = 40
NOTE_LOGGER = "satflow"


class SpoolFile:
    """A spool file that is read from its beginning. It stays open, so it can be read to its end after it was removed.

    Args:
        path: the file.

    Raises:
        FileNotFoundError: it was removed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.end = HEADER
        """Offset after the last complete line that was read."""
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    @property
    def size(self) -> int:
        """Bytes that are in the file now."""
        return os.fstat(self._descriptor).st_size

    def read(self, most: int = CHUNK) -> list[bytes]:
        """Read complete lines after `end`, without their line ends.

        Args:
            most: bytes; a single line that is longer is read whole.
        """
        data = os.pread(self._descriptor, most, self.end)
        while b"\n" not in data and (more := os.pread(self._descriptor, most, self.end + len(data))):
            data += more
        *complete, _ = data.split(b"\n")
        self.end += sum(map(len, complete)) + len(complete)
        return complete

    def is_complete(self) -> bool:
        """Return whether no process writes to it any more, and every complete line was read."""
        return is_complete(self._descriptor) and self._rest().find(b"\n") < 0

    def notes(self) -> list[Line]:
        """Return what a reader must know of a complete file: lines that the disk did not take, and a line without its end."""
        notes: list[Line] = []
        lost, first, reason = lost_lines(os.pread(self._descriptor, HEADER, 0))
        if lost:
            time = datetime.fromisoformat((first or "").replace("Z", "+00:00"))
            notes.append(note(time, f"… {lost:,} log lines are missing here: {reason}."))
        if self._rest():
            time = datetime.fromtimestamp(os.fstat(self._descriptor).st_mtime, timezone.utc)
            notes.append(note(time, "… the last log line is missing: its process ended while it was written."))
        return notes

    def close(self) -> None:
        """Close it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _rest(self) -> bytes:
        return os.pread(self._descriptor, CHUNK, self.end)


class SpoolReader:
    """Reads all files of one flow run, and those that are added later.

    Args:
        folder: of the flow run; it may not exist yet, or any more.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[Path, SpoolFile | None] = {}
        self.seen = False
        """Whether this run has ever had a file."""

    def read_new(self) -> list[Line]:
        """Read what was added since the last call, at most `CHUNK` bytes of each file."""
        lines: list[Line] = []
        for path in spool_files(self._folder):
            if path not in self._files:
                self._open(path)
        for path, file in list(self._files.items()):
            if file is not None:
                lines += map(parse_line, file.read())
                if file.is_complete():
                    lines += file.notes()
                    file.close()
                    self._files[path] = None
        return lines

    @property
    def finished(self) -> bool:
        """Whether all files that are known are complete, and were read to their end."""
        return not any(self._files.values())

    def close(self) -> None:
        """Close all files."""
        for file in filter(None, self._files.values()):
            file.close()

    def _open(self, path: Path) -> None:
        self.seen = True
        try:
            self._files[path] = SpoolFile(path)
        except FileNotFoundError:  # uploaded, and so in the API
            self._files[path] = None


class SpoolSnapshot:
    """The lines that the files of one flow run have now, in the order of their times.

    The files are opened at once: whatever is removed later was uploaded, and is read from here nevertheless.

    Args:
        folder: of the flow run; it may not exist.
    """

    def __init__(self, folder: Path) -> None:
        self._reader = SpoolReader(folder)
        self._lines: Iterator[Line] = iter(())
        self._next: Line | None = None

    def load(self) -> None:
        """Read the files. Call it before the Prefect API is read."""
        lines: list[Line] = []
        while new := self._reader.read_new():
            lines += new
        self._reader.close()
        self._lines = iter(sorted(lines, key=attrgetter("time")))
        self._next = next(self._lines, None)

    def take_until(self, time: datetime | None) -> Iterator[Line]:
        """Give the lines up to a time, inclusive; None gives all that are left."""
        while self._next is not None and (time is None or self._next.time <= time):
            yield self._next
            self._next = next(self._lines, None)


def spool_files(folder: Path) -> list[Path]:
    """Return the files of a flow run in the order in which they were begun."""
    try:
        return [folder / name for name in sorted(os.listdir(folder)) if name.endswith(SUFFIX)]
    except (FileNotFoundError, NotADirectoryError):
        return []


def note(time: datetime, message: str) -> Line:
    """Make a line that stands for lines that are missing."""
    return make_line(time, NOTE_LEVEL, NOTE_LOGGER, message, None)
