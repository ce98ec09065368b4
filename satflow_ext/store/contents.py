"""Contents on disk: one file each, named by its digest, which exists completely or not at all.

A content is durable after fsync(file) → rename → fsync(folder), in this order and before the upload is confirmed: without the
first step, a power failure leaves incomplete contents; without the last one, it removes them.

A content is a regular file in the store's folder. Symbolic links below this folder are never followed: a link in place of a
content counts as a missing content, and the next upload replaces it.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

from satflow_ext import atomic_files

ABSENT_ERRORS = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO)
"""Errors when opening a content that is missing, or whose path contains a link or something other than a file or folder."""

DIGEST_PATTERN = re.compile(r"sha256:([0-9a-f]{64})")


class WrongDigest(Exception):
    """The received bytes do not match the digest."""


class ContentTooLong(Exception):
    """More bytes were received than a content may have."""


class Contents:
    """The folder of contents.

    Args:
        root: path of the folder; created with mode 0700 if it is missing. Files of interrupted uploads in it are removed.
        limit: maximum size of a content, in bytes.
        clock: function that returns seconds since the epoch.
    """

    @dataclass(frozen=True)
    class Found:
        """A stored content: digest, size in bytes, and the time of its last upload or request in seconds since the epoch."""

        digest: str
        size: int
        touched: float

    def __init__(self, root: Path, *, limit: int, clock: Callable[[], float] = time.time) -> None:
        self._final = root / "sha256"
        self._incoming = root / "incoming"
        self.root = root
        self.limit = limit
        self.clock = clock

    def prepare_folders(self) -> None:
        """Create the folders, and remove files of interrupted uploads.

        Raises:
            NotADirectoryError: one of the folders is a symbolic link; only the store's root folder may be one.
        """
        for folder in (self._final, self._incoming):
            if folder.is_symlink():
                raise NotADirectoryError(errno.ENOTDIR, "a symbolic link where the store needs a folder", str(folder))
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in self._incoming.iterdir():
            left.unlink()
        for folder in (self._final.parent, self._final.parent.parent):
            atomic_files.sync_folder(folder)  # otherwise a power failure can remove the folder and its contents

    def content_path(self, digest: str) -> Path:
        """Return the path of an existing or future content, which consists of exactly 64 hexadecimal digits.

        Raises:
            ValueError: the argument is not a digest.
        """
        match = DIGEST_PATTERN.fullmatch(digest)
        if match is None:
            raise ValueError(digest)
        return self._final / match[1][:2] / match[1]

    def open_content(self, digest: str) -> IO[bytes] | None:
        """Open a content for reading; return None if it does not exist. The caller closes the file."""
        path = self.content_path(digest)
        try:
            shelf = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                descriptor = os.open(path.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=shelf)
            finally:
                os.close(shelf)
        except OSError as error:
            if error.errno in ABSENT_ERRORS:
                return None
            raise
        file = open(descriptor, "rb")  # noqa: SIM115 - the caller closes it
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return file
        file.close()
        return None

    def get_size(self, digest: str) -> int | None:
        """Return the size of a content in bytes, None if it does not exist."""
        file = self.open_content(digest)
        if file is None:
            return None
        with file:
            return os.fstat(file.fileno()).st_size

    def touch_content(self, digest: str) -> int | None:
        """Record a request for a content, so that it is not collected; return its size, None if it does not exist."""
        now = self.clock()
        with lock_folder(self.root, fcntl.LOCK_SH):
            file = self.open_content(digest)
            if file is None:
                return None
            with file:
                os.utime(file.fileno(), (now, now))
                return os.fstat(file.fileno()).st_size

    def remove_content(self, digest: str, *, untouched_since: float) -> bool:
        """Remove a content unless it was uploaded or requested since a time; return whether it was removed.

        Raises:
            OSError: the disk failed.
        """
        path = self.content_path(digest)
        with lock_folder(self.root, fcntl.LOCK_EX):
            if path.lstat().st_mtime > untouched_since:
                return False
            path.unlink()
        return True

    def list_contents(self) -> Iterator[Found]:
        """Iterate over the stored contents."""
        for path in self._final.glob("??/*"):
            found = path.lstat()
            if stat.S_ISREG(found.st_mode) and not path.parent.is_symlink():
                yield Contents.Found(f"sha256:{path.name}", found.st_size, found.st_mtime)

    def count_contents(self) -> int:
        """Return the number of stored contents."""
        return sum(1 for _ in self.list_contents())

    def read_content(self, digest: str) -> bytes | None:
        """Read a whole content; return None if it does not exist."""
        file = self.open_content(digest)
        if file is None:
            return None
        with file:
            return file.read()

    def receive_content(self, digest: str) -> IncomingContent:
        """Start to receive a content."""
        return IncomingContent(self.content_path(digest), self)


class IncomingContent:
    """A content that is being written to disk. Leaving the context without `keep` discards it.

    Args:
        path: final path of the content.
        contents: contents of the store, with the folder for incomplete uploads and the size limit.
    """

    def __init__(self, path: Path, contents: Contents) -> None:
        self._path = path
        self._contents = contents
        self._size = 0
        self._hash = hashlib.sha256()
        descriptor, name = tempfile.mkstemp(dir=contents.root / "incoming")
        self._temporary = Path(name)
        self._file = open(descriptor, "wb", buffering=0)  # noqa: SIM115 - closed by `close`

    def __enter__(self) -> IncomingContent:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def write(self, chunk: bytes) -> None:
        """Append the next bytes.

        Raises:
            OverLimit: the content exceeds the size limit.
            OSError: the disk has no space for them.
        """
        self._size += len(chunk)
        if self._size > self._contents.limit:
            raise ContentTooLong
        self._hash.update(chunk)
        rest = memoryview(chunk)
        while rest:
            rest = rest[self._file.write(rest) :]

    def commit_content(self) -> bool:
        """Store the content so that it survives a power failure; return whether it is new.

        Raises:
            WrongDigest: the bytes do not match the digest.
            OSError: the disk failed.
        """
        if self._hash.hexdigest() != self._path.name:
            raise WrongDigest
        os.fsync(self._file.fileno())
        new = self._contents.get_size(f"sha256:{self._path.name}") is None
        shelf = self._path.parent
        if shelf.is_symlink():
            shelf.unlink()
        if not shelf.exists():
            shelf.mkdir(mode=0o700, exist_ok=True)
            atomic_files.sync_folder(shelf.parent)
        now = self._contents.clock()
        os.utime(self._temporary, (now, now))
        with lock_folder(self._contents.root, fcntl.LOCK_SH):
            self._temporary.replace(self._path)
        atomic_files.sync_folder(shelf)
        return new

    def close(self) -> None:
        """Close the file, and remove it unless `keep` has stored it."""
        self._file.close()
        self._temporary.unlink(missing_ok=True)


@contextmanager
def lock_folder(folder: Path, kind: int) -> Iterator[None]:
    """Hold the lock of a folder, shared or exclusive. The kernel releases it when its holder ends."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, kind)
        yield
    finally:
        os.close(descriptor)
