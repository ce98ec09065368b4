"""The collection of unreferenced contents, which are removed after a grace period.

The period begins when a collection first finds a content unreferenced, or when the content was last uploaded or requested,
whichever is later. Runs that are already scheduled or running when a deployment is deleted thus have a whole period to read its
contents, however old these are, and a content that is being registered is safe before anything refers to it.
"""

from __future__ import annotations

import fcntl
import json
from dataclasses import dataclass
from pathlib import Path

from satflow_ext import atomic_files
from satflow_ext.store.contents import Contents, lock_folder

DAY = 86_400.0


@dataclass(frozen=True)
class UnreferencedContent:
    """An unreferenced content: its digest, its size in bytes, and the start of its grace period in seconds since the epoch."""

    digest: str
    size: int
    since: float


@dataclass(frozen=True)
class CollectionResult:
    """The result of a collection or of a dry run.

    Args:
        in_use: number of contents in use.
        removed: contents that were removed, or would be.
        waiting: unreferenced contents whose grace period is not over.
    """

    in_use: int
    removed: tuple[UnreferencedContent, ...]
    waiting: tuple[UnreferencedContent, ...]


def collect_contents(
    contents: Contents, in_use: frozenset[str], *, grace: float, dry_run: bool = False
) -> CollectionResult:
    """Remove contents that have been unreferenced for the whole grace period.

    Args:
        contents: contents of the store.
        in_use: digests of the referenced contents.
        grace: grace period in seconds.
        dry_run: only report; remove nothing and start no grace period.

    Raises:
        OSError: the disk failed.
    """
    with lock_folder(contents.root / "sha256", fcntl.LOCK_EX):  # one collection at a time
        marks, now = _read_marks(contents.root), contents.clock()
        unused = [_to_unreferenced(each, marks, now) for each in contents.list_contents() if each.digest not in in_use]
        over = [each for each in unused if now - each.since > grace]
        waiting = [each for each in unused if now - each.since <= grace]
        if not dry_run:
            over = [each for each in over if contents.remove_content(each.digest, untouched_since=each.since)]
            _write_marks(contents.root, {each.digest: each.since for each in waiting})
        return CollectionResult(
            contents.count_contents() - len(waiting) - (len(over) if dry_run else 0), tuple(over), tuple(waiting)
        )


def _to_unreferenced(found: Contents.Found, marks: dict[str, float], now: float) -> UnreferencedContent:
    """Return an unreferenced content with the start of its grace period. Setting the clock back only makes the period longer."""
    return UnreferencedContent(found.digest, found.size, max(marks.get(found.digest, now), found.touched))


def _read_marks(root: Path) -> dict[str, float]:
    """Read when a collection first found each digest unreferenced. An unreadable file restarts all grace periods."""
    try:
        found = json.loads((root / "unreferenced.json").read_bytes())
        return {str(digest): float(since) for digest, since in found.items()}
    except (FileNotFoundError, ValueError, TypeError, AttributeError):
        return {}


def _write_marks(root: Path, marks: dict[str, float]) -> None:
    atomic_files.write_atomically(root / "unreferenced.json", json.dumps(marks).encode())
