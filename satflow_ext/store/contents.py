"""Contents on disk: one file each, named by its digest, there whole or not at all.

Durable means fsync(file) → rename → fsync(folder), in this order and before anybody is told: without the first, a power
cut leaves torn contents, without the last it leaves none.

A content is a regular file in a folder of the store's. Symbolic links below the store's folder are never followed: one that
replaces a content counts as missing, and the next upload replaces it.
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

ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO)
"""Errors of opening a content that is missing, or of which a part of the path is a link or no file."""

DIGEST = re.compile(r"sha256:([0-9a-f]{64})")


class WrongDigest(Exception):
    """The bytes that came are not those that the digest names."""


class OverLimit(Exception):
    """More bytes came than a content may have."""


class Contents:
    """The folder of contents.

    Args:
        root: the folder; made with mode 0700 when it is missing. What an interrupted upload left in it is removed.
        limit: the largest content, in bytes.
        clock: seconds of the epoch.
    """

    @dataclass(frozen=True)
    class Found:
        """A content that is there: digest, bytes, and when it was last sent or asked for, in seconds of the epoch."""

        digest: str
        size: int
        touched: float

    def __init__(self, root: Path, *, limit: int, clock: Callable[[], float] = time.time) -> None:
        self._final = root / "sha256"
        self._incoming = root / "incoming"
        self.root = root
        self.limit = limit
        self.clock = clock

    def prepare(self) -> None:
        """Make the folders, and remove what interrupted uploads left.

        Raises:
            NotADirectoryError: one of them is a symbolic link; the store's own folder may be one.
        """
        for folder in (self._final, self._incoming):
            if folder.is_symlink():
                raise NotADirectoryError(errno.ENOTDIR, "a symbolic link where the store needs a folder", str(folder))
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in self._incoming.iterdir():
            left.unlink()
        for folder in (self._final.parent, self._final.parent.parent):
            atomic_files.sync(folder)  # else a power cut can take the folder with all that is in it

    def path(self, digest: str) -> Path:
        """Where that content is or would be. The name is made of 64 hexadecimal digits and nothing else.

        Raises:
            ValueError: it is no digest.
        """
        match = DIGEST.fullmatch(digest)
        if match is None:
            raise ValueError(digest)
        return self._final / match[1][:2] / match[1]

    def open(self, digest: str) -> IO[bytes] | None:
        """The content, to read from; None when there is none. Close it."""
        path = self.path(digest)
        try:
            shelf = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                descriptor = os.open(path.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=shelf)
            finally:
                os.close(shelf)
        except OSError as error:
            if error.errno in ABSENT:
                return None
            raise
        file = open(descriptor, "rb")  # noqa: SIM115 - the caller closes it
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return file
        file.close()
        return None

    def size(self, digest: str) -> int | None:
        """Bytes of the content, None when there is none."""
        file = self.open(digest)
        if file is None:
            return None
        with file:
            return os.fstat(file.fileno()).st_size

    def touch(self, digest: str) -> int | None:
        """Note that a content is wanted now, so that it is not collected; its bytes, None when there is none."""
        now = self.clock()
        with locked(self.root, fcntl.LOCK_SH):
            file = self.open(digest)
            if file is None:
                return None
            with file:
                os.utime(file.fileno(), (now, now))
                return os.fstat(file.fileno()).st_size

    def remove(self, digest: str, *, untouched_since: float) -> bool:
        """Remove a content that nobody has sent or asked for since then; whether it is gone.

        Raises:
            OSError: the disk failed.
        """
        path = self.path(digest)
        with locked(self.root, fcntl.LOCK_EX):
            if path.lstat().st_mtime > untouched_since:
                return False
            path.unlink()
        return True

    def all(self) -> Iterator[Found]:
        """Every content that is there."""
        for path in self._final.glob("??/*"):
            found = path.lstat()
            if stat.S_ISREG(found.st_mode) and not path.parent.is_symlink():
                yield Contents.Found(f"sha256:{path.name}", found.st_size, found.st_mtime)

    def count(self) -> int:
        """How many contents are there."""
        return sum(1 for _ in self.all())

    def read(self, digest: str) -> bytes | None:
        """All of a content, None when there is none."""
        file = self.open(digest)
        if file is None:
            return None
        with file:
            return file.read()

    def incoming(self, digest: str) -> Incoming:
        """A content that is being received."""
        return Incoming(self.path(digest), self)


class Incoming:
    """A content on its way to disk. Leaving the context before `keep` forgets it.

    Args:
        path: where it goes.
        contents: whose it is, which say where it stands until then and how large it may be.
    """

    def __init__(self, path: Path, contents: Contents) -> None:
        self._path = path
        self._contents = contents
        self._size = 0
        self._hash = hashlib.sha256()
        descriptor, name = tempfile.mkstemp(dir=contents.root / "incoming")
        self._temporary = Path(name)
        self._file = open(descriptor, "wb", buffering=0)  # noqa: SIM115 - closed by `close`

    def __enter__(self) -> Incoming:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def write(self, chunk: bytes) -> None:
        """Take the next bytes.

        Raises:
            OverLimit: they are too many.
            OSError: there is no room for them.
        """
        self._size += len(chunk)
        if self._size > self._contents.limit:
            raise OverLimit
        self._hash.update(chunk)
        rest = memoryview(chunk)
        while rest:
            rest = rest[self._file.write(rest) :]

    def keep(self) -> bool:
        """Make it a content that survives a power cut; whether it is new.

        Raises:
            WrongDigest: it is not what its digest says.
            OSError: the disk did not take it.
        """
        if self._hash.hexdigest() != self._path.name:
            raise WrongDigest
        os.fsync(self._file.fileno())
        new = self._contents.size(f"sha256:{self._path.name}") is None
        shelf = self._path.parent
        if shelf.is_symlink():
            shelf.unlink()
        if not shelf.exists():
            shelf.mkdir(mode=0o700, exist_ok=True)
            atomic_files.sync(shelf.parent)
        now = self._contents.clock()
        os.utime(self._temporary, (now, now))
        with locked(self._contents.root, fcntl.LOCK_SH):
            self._temporary.replace(self._path)
        atomic_files.sync(shelf)
        return new

    def close(self) -> None:
        """Close the file, and remove it unless it was kept."""
        self._file.close()
        self._temporary.unlink(missing_ok=True)


@contextmanager
def locked(folder: Path, kind: int) -> Iterator[None]:
    """Hold the lock of a folder, shared or alone. The kernel ends it with its holder."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, kind)
        yield
    finally:
        os.close(descriptor)
