"""Files in which a process keeps the log lines of flow runs until the Prefect API has them.

Each flow run has a folder, in which each process that logs for the run writes files of at most `FILE_LIMIT` bytes: a header of
fixed size, then one JSON object per line, as the API takes it. A file is named after its number and its process; the numbers of a
process increase. A process holds a lock on the file that it writes, which the system releases however the process ends; a file
without a lock is complete. What a full disk does not take is counted in the header, whose space is there already.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from satflow_ext.lease.address import private_folder
from satflow_ext.run_logs.lines import parse_timestamp, timestamp
from satflow_ext.settings import Settings

FILE_LIMIT = 4 * 1024 * 1024
"""Bytes after which a process goes on in a new file: uploaded files are removed while the run goes on."""
RUN_LIMIT = 128 * 1024 * 1024
"""Bytes of one run that may wait for their upload, beside the newest file of each process. A process that logs more waits."""
PATIENCE = 60.0
"""Seconds without any upload after which a process at that limit waits no longer, and counts lines as lost."""
PAUSE = 0.05
"""Seconds between two looks of a process that waits at the limit."""
HEADER = 256
"""Bytes of the header, with its line end."""
SUFFIX = ".jsonl"
OPEN_FILES = 256
"""The most files that a process keeps open: one for each flow run it logs for, such as subflows."""
STEP = timedelta(microseconds=1)
CLOCK_SET_BACK = timedelta(seconds=1)
"""A time that is earlier than the line before by more than this is believed."""
REPLACED = str.maketrans({"\0": "\N{SYMBOL FOR NULL}"})


def spool_folder(settings: Settings) -> Path:
    """Return the folder of this machine's runs. It survives a restart of the machine."""
    return settings.state_dir / "run-logs"


class SpoolWriter:
    """Writes the lines that this process logs. Safe to use from several threads, and in a forked child.

    Args:
        root: a folder for the folders of flow runs; made when it is missing, private.
        file_limit: bytes after which a new file is begun.
        run_limit: bytes of one run that may wait for their upload.
        patience: seconds without any upload after which a line beyond that is lost instead of waited for.

    Raises:
        StackFailed: the folder cannot be made, or belongs to another user.
    """

    def __init__(
        self, root: Path, *, file_limit: int = FILE_LIMIT, run_limit: int = RUN_LIMIT, patience: float = PATIENCE
    ) -> None:
        self.root = private_folder(root)
        self._file_limit = file_limit
        self._waiting_files = max(2, run_limit // file_limit)
        self._patience = patience
        self._files: OrderedDict[str, _OpenFile] = OrderedDict()
        self._lock = threading.RLock()
        self._unwritten: deque[Mapping[str, Any]] = deque()
        self._writing = False
        os.register_at_fork(after_in_child=self._begin_in_child)

    def write(self, line: Mapping[str, Any]) -> None:
        """Append a line, in the form in which the Prefect API takes it, to the file of its flow run."""
        with self._lock:
            self._unwritten.append(line)
            # A signal handler or finalizer that logs has interrupted this loop in the same thread, which writes both lines.
            if self._writing:
                return
            self._writing = True
            try:
                while self._unwritten:
                    line = self._unwritten.popleft()
                    self._file_of(str(line["flow_run_id"])).write(line)
            finally:
                self._writing = False

    def close(self) -> None:
        """Close all files: they are complete."""
        with self._lock:
            for file in self._files.values():
                file.close()
            self._files.clear()

    def _file_of(self, run_id: str) -> _OpenFile:
        file = self._files.get(run_id)
        if file is None:
            file = self._files[run_id] = _OpenFile(
                self.root / run_id, self._file_limit, self._waiting_files, self._patience
            )
        self._files.move_to_end(run_id)
        for unused in islice(reversed(self._files.values()), OPEN_FILES, None):
            unused.abandon()
        return file

    def _begin_in_child(self) -> None:
        """Leave the files to the parent: a child that logs has files of its own."""
        self._lock = threading.RLock()
        self._unwritten.clear()
        self._writing = False
        for file in self._files.values():
            file.abandon()
        self._files = OrderedDict()


class _OpenFile:
    """The file that this process writes for one flow run, and the next one when it is full."""

    def __init__(self, folder: Path, limit: int, waiting_files: int, patience: float) -> None:
        self._folder = folder
        self._limit = limit
        self._waiting_files = waiting_files
        self._patience = patience
        self._descriptor: int | None = None
        self._end = 0
        self._latest: datetime | None = None
        self._lost = 0
        self._first_lost: str | None = None
        self._reason = ""
        self._counted = True  # in the header of a file
        self._full = False  # the limit of the run was reached, and no upload came within the patience

    def write(self, line: Mapping[str, Any]) -> None:
        stamp = self._advance(line["timestamp"])
        try:
            self._append(_encode(line, stamp))
        except OSError as error:
            self._lost += 1
            self._first_lost = self._first_lost or stamp
            self._reason = error.strerror or str(error)
            self._counted = False
        if not self._counted:
            self._write_count()

    def close(self) -> None:
        """Close the file, or keep in a new one what no file says yet."""
        if not self._counted:
            with contextlib.suppress(OSError):
                self._open()
        self.abandon()

    def abandon(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _append(self, data: bytes) -> None:
        if self._descriptor is None or self._full or self._end + len(data) > self._limit:
            self._begin_file()
        if self._descriptor is None or self._full:
            raise OSError(errno.EDQUOT, "the Prefect API took no lines, and the limit for lines that wait was reached")
        self._find_end(self._descriptor)
        try:
            _write_whole(self._descriptor, data, self._end)
        except OSError:
            os.ftruncate(self._descriptor, self._end)
            raise
        self._end += len(data)

    def _find_end(self, descriptor: int) -> None:
        """Find the end of the file: a time limit or a signal may have raised an exception after a line was written."""
        size = os.fstat(descriptor).st_size
        if size > self._end and os.pread(descriptor, 1, size - 1) != b"\n":
            os.ftruncate(descriptor, self._end)
        else:
            self._end = size

    def _begin_file(self) -> None:
        """Go on in a new file, after waiting for uploads where too many files wait for them."""
        self._full = not self._wait_for_uploads()
        if not self._full:
            try:
                self._open()
            except FileNotFoundError:  # the uploader took the new file for one that a killed process has left
                self._open()

    def _wait_for_uploads(self) -> bool:
        """Return whether so few files of the run wait that another one may begin."""
        waiting, since = self._waiting(), time.monotonic()
        while len(waiting) + 1 >= self._waiting_files:
            if self._full or time.monotonic() - since > self._patience:
                return False
            time.sleep(PAUSE)
            if (now := self._waiting()) != waiting:
                waiting, since = now, time.monotonic()
        return True

    def _waiting(self) -> frozenset[Path]:
        """Return the files of the run but the newest of each process, which may have been uploaded as far as it is written."""
        return frozenset(each for of_process in files_by_process(self._folder) for each in of_process[:-1])

    def _open(self) -> None:
        """Open the next file; the one before stays in use where that fails. It has its name once it is locked."""
        name = f"{_next_number():020d}-{os.getpid()}"
        fresh = self._folder / f".{name}"
        descriptor = _create(fresh)
        lost, first, reason = (0, None, "") if self._counted else (self._lost, self._first_lost, self._reason)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            _write_whole(descriptor, _header(lost, first, reason), 0)
            fresh.rename(self._folder / f"{name}{SUFFIX}")
        except BaseException:
            os.close(descriptor)
            fresh.unlink(missing_ok=True)
            raise
        self.abandon()
        self._descriptor, self._end, self._counted = descriptor, HEADER, True
        self._lost, self._first_lost, self._reason = lost, first, reason

    def _write_count(self) -> None:
        """Write the count of lost lines into the header; where the disk does not take that, the next line tries again."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                _write_whole(self._descriptor, _header(self._lost, self._first_lost, self._reason), 0)
                self._counted = True

    def _advance(self, stamp: str) -> str:
        """Return the line's time, later than that of the line before: its place among the lines of this process."""
        at = parse_timestamp(stamp)
        latest = self._latest
        if latest is not None and at <= latest and latest - at < CLOCK_SET_BACK:
            at = latest + STEP
        self._latest = at
        return timestamp(at)


def spool_files(folder: Path) -> list[Path]:
    """Return the files of a flow run in the order in which they were begun."""
    try:
        return [folder / name for name in sorted(os.listdir(folder)) if name.endswith(SUFFIX)]
    except (FileNotFoundError, NotADirectoryError):
        return []


def files_by_process(folder: Path) -> Iterable[list[Path]]:
    """Return the files of each process that logs for a flow run, in the order in which it began them."""
    files: dict[str, list[Path]] = {}
    for path in spool_files(folder):
        files.setdefault(process_of(path), []).append(path)
    return files.values()


def process_of(path: Path) -> str:
    """Return which process writes a file, as the file's name has it."""
    return path.stem.partition("-")[2]


def lost_lines(header: bytes) -> tuple[int, datetime | None, str]:
    """Read a header: how many lines the disk did not take, the time of the first of them, and why."""
    try:
        fields = json.loads(header)
        first = parse_timestamp(fields["first"]) if fields["first"] else None
        return int(fields["lost"]), first, str(fields["reason"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return 0, None, ""


def is_complete(descriptor: int) -> bool:
    """Return whether no process writes to the file any more."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return True


def _write_whole(descriptor: int, data: bytes, offset: int) -> None:
    """Write at an offset.

    Raises:
        OSError: not all of it was written.
    """
    if os.pwrite(descriptor, data, offset) < len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _create(path: Path) -> int:
    for _ in range(2):
        with contextlib.suppress(FileNotFoundError):  # the uploader removes an empty folder
            path.parent.mkdir(mode=0o700, exist_ok=True)
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)


def _encode(line: Mapping[str, Any], stamp: str) -> bytes:
    """Encode a line as ASCII JSON; what a database may refuse (NUL, halves of surrogate pairs) is replaced visibly."""
    message = str(line["message"]).translate(REPLACED).encode("utf-8", "replace").decode()
    fields = {name: value for name, value in line.items() if not name.startswith("__")}
    return json.dumps({**fields, "message": message, "timestamp": stamp}).encode() + b"\n"


def _header(lost: int, first: str | None, reason: str) -> bytes:
    while len(text := json.dumps({"lost": lost, "first": first, "reason": reason}).encode()) >= HEADER:
        reason = reason[:-1]
    return text.ljust(HEADER - 1) + b"\n"


_last_number = 0


def _next_number() -> int:
    """Return the time in nanoseconds, or one more than the last number where the clock was set back."""
    global _last_number
    _last_number = max(time.time_ns(), _last_number + 1)
    return _last_number
