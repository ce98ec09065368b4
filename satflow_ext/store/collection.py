"""Collecting: contents that nobody refers to are removed after a grace period.

The period begins when a collection first finds a content unreferenced, or when it was last sent or asked for, whichever is
later. So a deployment that is deleted today leaves its contents a whole period for the runs that are on their way, however old
they are, and what is being registered right now is safe before anything refers to it.
"""

from __future__ import annotations

import fcntl
import json
from dataclasses import dataclass
from pathlib import Path

from satflow_ext import atomic_files
from satflow_ext.store.contents import Contents, locked

DAY = 86_400.0


@dataclass(frozen=True)
class Kept:
    """A content that nobody refers to: its digest, its bytes, and since when, in seconds of the epoch."""

    digest: str
    size: int
    since: float


@dataclass(frozen=True)
class Collected:
    """What a collection did, or would do.

    Args:
        in_use: how many contents are in use.
        removed: what is gone, or would be.
        waiting: what goes when its grace is over.
    """

    in_use: int
    removed: tuple[Kept, ...]
    waiting: tuple[Kept, ...]


def collect(contents: Contents, in_use: frozenset[str], *, grace: float, dry: bool = False) -> Collected:
    """Remove what is not in use and was not for the whole grace period.

    Args:
        contents: the store's.
        in_use: digests that something refers to.
        grace: seconds.
        dry: remove nothing, and begin no period.

    Raises:
        OSError: the disk failed.
    """
    with locked(contents.root / "sha256", fcntl.LOCK_EX):  # one collection at a time
        marks, now = _marks(contents.root), contents.clock()
        unused = [_unused(each, marks, now) for each in contents.all() if each.digest not in in_use]
        over = [each for each in unused if now - each.since > grace]
        waiting = [each for each in unused if now - each.since <= grace]
        if not dry:
            over = [each for each in over if contents.remove(each.digest, untouched_since=each.since)]
            _write(contents.root, {each.digest: each.since for each in waiting})
        return Collected(contents.count() - len(waiting) - (len(over) if dry else 0), tuple(over), tuple(waiting))


def _unused(found: Contents.Found, marks: dict[str, float], now: float) -> Kept:
    """Since when nobody refers to a content. A clock that was put back makes the period longer, never shorter."""
    return Kept(found.digest, found.size, max(marks.get(found.digest, now), found.touched))


def _marks(root: Path) -> dict[str, float]:
    """Digest → when a collection first found it unreferenced. A file that cannot be read begins all periods anew."""
    try:
        found = json.loads((root / "unreferenced.json").read_bytes())
        return {str(digest): float(since) for digest, since in found.items()}
    except (FileNotFoundError, ValueError, TypeError, AttributeError):
        return {}


def _write(root: Path, marks: dict[str, float]) -> None:
    atomic_files.replace(root / "unreferenced.json", json.dumps(marks).encode())
