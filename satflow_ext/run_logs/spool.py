"""Spool files, in which processes keep the log lines of flow runs until the lines are uploaded to the Prefect API.

Each flow run has a folder, in which each process that logs for the run writes files of at most `FILE_LIMIT` bytes: a header of
fixed size, then one JSON object per line, in the format of the API. The file name consists of a number, which increases within
a process, and the process id. A process holds a lock on the file that it writes, which the system releases however the process
ends; a file without a lock is complete. Lines lost to a full disk are counted in the header, whose space is allocated already.
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

from satflow_ext.lease.address import make_private_folder
from satflow_ext.run_logs.lines import format_timestamp, parse_timestamp
from satflow_ext.settings import Settings

FILE_LIMIT = 4 * 1024 * 1024
"""Size in bytes after which a process starts a new file, so that uploaded files can be removed during the run."""
RUN_LIMIT = 128 * 1024 * 1024
"""Bytes of one run that may wait for upload, not counting the newest file of each process. A process that logs more waits."""
UPLOAD_TIMEOUT = 60.0
"""Seconds without any upload after which a process at that limit stops waiting and counts its lines as lost."""
UPLOAD_CHECK_PAUSE = 0.05
"""Seconds between two checks of a process that waits at the limit."""
HEADER_SIZE = 256
"""Size of the header in bytes, including its line end."""
SUFFIX = ".jsonl"
MAX_OPEN_FILES = 256
"""Maximum number of open files of a process, which has one per flow run that it logs for, such as subflows."""
TIME_STEP = timedelta(microseconds=1)
MIN_CLOCK_SETBACK = timedelta(seconds=1)
"""A line's time is kept if it is earlier than that of the line before by at least this much: the clock was set back."""
REPLACED_CHARACTERS = str.maketrans({"\0": "\N{SYMBOL FOR NULL}"})


def spool_folder(settings: Settings) -> Path:
    """Return the spool folder of this machine, which survives a restart of the machine."""
    return settings.state_dir / "run-logs"


class SpoolWriter:
    """A writer of the lines that this process logs. It is safe to use from several threads and in a forked child.

    Args:
        root: folder for the folders of flow runs; created privately if it is missing.
        file_limit: size in bytes after which a new file is started.
        run_limit: bytes of one run that may wait for upload.
        upload_timeout: seconds to wait at that limit without any upload before lines are lost.

    Raises:
        StackFailed: the folder cannot be created, or belongs to another user.
    """

    def __init__(
        self,
        root: Path,
        *,
        file_limit: int = FILE_LIMIT,
        run_limit: int = RUN_LIMIT,
        upload_timeout: float = UPLOAD_TIMEOUT,
    ) -> None:
        self.root = make_private_folder(root)
        self._file_limit = file_limit
        self._max_waiting_files = max(2, run_limit // file_limit)
        self._upload_timeout = upload_timeout
        self._files: OrderedDict[str, _OpenFile] = OrderedDict()
        self._lock = threading.RLock()
        self._unwritten: deque[Mapping[str, Any]] = deque()
        self._writing = False
        os.register_at_fork(after_in_child=self._reset_in_child)

    def write_line(self, line: Mapping[str, Any]) -> None:
        """Append a line, in the format of the Prefect API, to the file of its flow run."""
        with self._lock:
            self._unwritten.append(line)
            # A signal handler or finalizer that logs has interrupted this loop in the same thread, which writes both lines.
            if self._writing:
                return
            self._writing = True
            try:
                while self._unwritten:
                    line = self._unwritten.popleft()
                    self._get_file(str(line["flow_run_id"])).write_line(line)
            finally:
                self._writing = False

    def close(self) -> None:
        """Close all files, which are complete then."""
        with self._lock:
            for file in self._files.values():
                file.close()
            self._files.clear()

    def close_run(self, run_id: str) -> None:
        """Close the file of one flow run; a later line starts a new file."""
        with self._lock:
            if (file := self._files.pop(run_id, None)) is not None:
                file.close()

    def _get_file(self, run_id: str) -> _OpenFile:
        file = self._files.get(run_id)
        if file is None:
            file = self._files[run_id] = _OpenFile(
                self.root / run_id, self._file_limit, self._max_waiting_files, self._upload_timeout
            )
        self._files.move_to_end(run_id)
        for unused in islice(reversed(self._files.values()), MAX_OPEN_FILES, None):
            unused.close_descriptor()
        return file

    def _reset_in_child(self) -> None:
        """Leave the files to the parent process; a forked child writes its own files."""
        self._lock = threading.RLock()
        self._unwritten.clear()
        self._writing = False
        for file in self._files.values():
            file.close_descriptor()
        self._files = OrderedDict()


class _OpenFile:
    """The file that this process writes for one flow run, and the next one when it is full."""

    def __init__(self, folder: Path, limit: int, max_waiting_files: int, upload_timeout: float) -> None:
        self._folder = folder
        self._limit = limit
        self._max_waiting_files = max_waiting_files
        self._upload_timeout = upload_timeout
        self._descriptor: int | None = None
        self._end = 0
        self._latest: datetime | None = None
        self._lost_count = 0
        self._first_lost: str | None = None
        self._reason = ""
        self._count_written = True  # in the header of a file
        self._limit_reached = (
            False  # the limit of the run was reached, and nothing was uploaded for `upload_timeout` seconds
        )

    def write_line(self, line: Mapping[str, Any]) -> None:
        stamp = self._advance_time(line["timestamp"])
        try:
            self._append_data(_encode_line(line, stamp))
        except OSError as error:
            self._lost_count += 1
            self._first_lost = self._first_lost or stamp
            self._reason = error.strerror or str(error)
            self._count_written = False
        if not self._count_written:
            self._write_count()

    def close(self) -> None:
        """Close the file; if lost lines are not counted in any header yet, try to write a new file with their count."""
        if not self._count_written:
            with contextlib.suppress(OSError):
                self._open_next_file()
        self.close_descriptor()

    def close_descriptor(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _append_data(self, data: bytes) -> None:
        if self._descriptor is None or self._limit_reached or self._end + len(data) > self._limit:
            self._begin_file()
        if self._descriptor is None or self._limit_reached:
            raise OSError(
                errno.EDQUOT, "the Prefect API accepted no lines, and the limit for waiting lines was reached"
            )
        self._find_end(self._descriptor)
        try:
            _write_whole(self._descriptor, data, self._end)
        except OSError:
            os.ftruncate(self._descriptor, self._end)
            raise
        self._end += len(data)

    def _find_end(self, descriptor: int) -> None:
        """Find the end of the file: a timeout or a signal may have raised an exception after a line was written."""
        size = os.fstat(descriptor).st_size
        if size > self._end and os.pread(descriptor, 1, size - 1) != b"\n":
            os.ftruncate(descriptor, self._end)
        else:
            self._end = size

    def _begin_file(self) -> None:
        """Start a new file, after waiting for uploads if too many files are waiting."""
        self._limit_reached = not self._wait_for_uploads()
        if not self._limit_reached:
            try:
                self._open_next_file()
            except FileNotFoundError:  # the uploader mistook the new file for one of a killed process
                self._open_next_file()

    def _wait_for_uploads(self) -> bool:
        """Wait for uploads; return whether few enough files of the run are waiting to start another one."""
        waiting, since = self._list_waiting_files(), time.monotonic()
        while len(waiting) + 1 >= self._max_waiting_files:
            if self._limit_reached or time.monotonic() - since > self._upload_timeout:
                return False
            time.sleep(UPLOAD_CHECK_PAUSE)
            if (now := self._list_waiting_files()) != waiting:
                waiting, since = now, time.monotonic()
        return True

    def _list_waiting_files(self) -> frozenset[Path]:
        """Return the files of the run except the newest of each process, which may be uploaded up to its current end."""
        return frozenset(each for of_process in files_by_process(self._folder) for each in of_process[:-1])

    def _open_next_file(self) -> None:
        """Open the next file; if that fails, the previous one stays in use. A file gets its final name once it is locked."""
        name = f"{_next_number():020d}-{os.getpid()}"
        fresh = self._folder / f".{name}"
        descriptor = _create_file(fresh)
        lost, first, reason = (
            (0, None, "") if self._count_written else (self._lost_count, self._first_lost, self._reason)
        )
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            _write_whole(descriptor, _encode_header(lost, first, reason), 0)
            fresh.rename(self._folder / f"{name}{SUFFIX}")
        except BaseException:
            os.close(descriptor)
            fresh.unlink(missing_ok=True)
            raise
        self.close_descriptor()
        self._descriptor, self._end, self._count_written = descriptor, HEADER_SIZE, True
        self._lost_count, self._first_lost, self._reason = lost, first, reason

    def _write_count(self) -> None:
        """Write the count of lost lines into the header; if that fails, the next line retries."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                _write_whole(self._descriptor, _encode_header(self._lost_count, self._first_lost, self._reason), 0)
                self._count_written = True

    def _advance_time(self, stamp: str) -> str:
        """Return the line's time, made later than that of the line before, so that times order the lines of this process."""
        at = parse_timestamp(stamp)
        latest = self._latest
        if latest is not None and at <= latest and latest - at < MIN_CLOCK_SETBACK:
            at = latest + TIME_STEP
        self._latest = at
        return format_timestamp(at)


def spool_files(folder: Path) -> list[Path]:
    """Return the files of a flow run in the order of their creation."""
    try:
        return [folder / name for name in sorted(os.listdir(folder)) if name.endswith(SUFFIX)]
    except (FileNotFoundError, NotADirectoryError):
        return []


def files_by_process(folder: Path) -> Iterable[list[Path]]:
    """Return the files of each process that logs for a flow run, in the order of their creation."""
    files: dict[str, list[Path]] = {}
    for path in spool_files(folder):
        files.setdefault(parse_process(path), []).append(path)
    return files.values()


def parse_process(path: Path) -> str:
    """Return the process id in the name of a file."""
    return path.stem.partition("-")[2]


def parse_header(header: bytes) -> tuple[int, datetime | None, str]:
    """Parse a header: the number of lost lines, the time of the first one, and the reason."""
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
    """Write all data at an offset.

    Raises:
        OSError: only a part of the data was written.
    """
    if os.pwrite(descriptor, data, offset) < len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _create_file(path: Path) -> int:
    for _ in range(2):
        with contextlib.suppress(FileNotFoundError):  # the uploader removes an empty folder
            path.parent.mkdir(mode=0o700, exist_ok=True)
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)


def _encode_line(line: Mapping[str, Any], stamp: str) -> bytes:
    """Encode a line as ASCII JSON; characters that a database may refuse (NUL, lone surrogates) are replaced visibly."""
    message = str(line["message"]).translate(REPLACED_CHARACTERS).encode("utf-8", "replace").decode()
    fields = {name: value for name, value in line.items() if not name.startswith("__")}
    return json.dumps({**fields, "message": message, "timestamp": stamp}).encode() + b"\n"


def _encode_header(lost: int, first: str | None, reason: str) -> bytes:
    while len(text := json.dumps({"lost": lost, "first": first, "reason": reason}).encode()) >= HEADER_SIZE:
        reason = reason[:-1]
    return text.ljust(HEADER_SIZE - 1) + b"\n"


_last_number = 0


def _next_number() -> int:
    """Return the time in nanoseconds, or the last number plus one if the clock was set back."""
    global _last_number
    _last_number = max(time.time_ns(), _last_number + 1)
    return _last_number
