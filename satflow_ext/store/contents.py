"""Contents on disk: one file each, named by its digest, there whole or not at all.

Durable means fsync(file) → rename → fsync(folder), in this order and before anybody is told: without the first, a power
cut leaves torn contents, without the last it leaves none.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path
from types import TracebackType

from satflow_ext import durable

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
    """

    def __init__(self, root: Path, *, limit: int) -> None:
        self._final = root / "sha256"
        self._incoming = root / "incoming"
        self.limit = limit

    def prepare(self) -> None:
        """Make the folders, and remove what interrupted uploads left."""
        for folder in (self._final, self._incoming):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in self._incoming.iterdir():
            left.unlink()
        for folder in (self._final.parent, self._final.parent.parent):
            durable.sync(folder)  # else a power cut can take the folder with all that is in it

    def path(self, digest: str) -> Path:
        """Where that content is or would be. The name is made of 64 hexadecimal digits and nothing else.

        Raises:
            ValueError: it is no digest.
        """
        match = DIGEST.fullmatch(digest)
        if match is None:
            raise ValueError(digest)
        return self._final / match[1][:2] / match[1]

    def size(self, digest: str) -> int | None:
        """Bytes of the content, None when there is none."""
        try:
            return self.path(digest).stat().st_size
        except FileNotFoundError:
            return None

    def incoming(self, digest: str) -> Incoming:
        """A content that is being received."""
        return Incoming(self.path(digest), self._incoming, self.limit)


class Incoming:
    """A content on its way to disk. Leaving the context before `keep` forgets it.

    Args:
        path: where it goes.
        folder: where it stands until then, on the same file system.
        limit: the most bytes it may have.
    """

    def __init__(self, path: Path, folder: Path, limit: int) -> None:
        self._path = path
        self._limit = limit
        self._size = 0
        self._hash = hashlib.sha256()
        descriptor, name = tempfile.mkstemp(dir=folder)
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
        if self._size > self._limit:
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
        new = not self._path.exists()
        shelf = self._path.parent
        if not shelf.exists():
            shelf.mkdir(mode=0o700, exist_ok=True)
            durable.sync(shelf.parent)
        self._temporary.replace(self._path)
        durable.sync(shelf)
        return new

    def close(self) -> None:
        """Close the file, and remove it unless it was kept."""
        self._file.close()
        self._temporary.unlink(missing_ok=True)
