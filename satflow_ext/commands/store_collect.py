"""`satflow store collect`: remove contents from the built-in store that were unreferenced for the whole grace period.

The period begins when a collection first finds a content unreferenced, or when the content was last uploaded or requested,
whichever is later. Runs that are already scheduled or running when a deployment is deleted thus have a whole period to read its
contents, however old these are, and a content that is being registered is safe before anything refers to it.
"""

from __future__ import annotations

import argparse
import fcntl
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from satflow_ext import atomic_files, endpoints, lease
from satflow_ext.commands import interrupts
from satflow_ext.deployments import queries
from satflow_ext.deployments.journal import Journal
from satflow_ext.endpoints import Endpoints
from satflow_ext.errors import DiskFull
from satflow_ext.settings import LOCAL, Settings
from satflow_ext.store.contents import Contents, lock_folder
from satflow_ext.versions import manifest

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


def configure(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add this verb and its flags."""
    text = "remove contents from the built-in store that no deployment or version has referred to for SATFLOW_RETENTION_DAYS"
    parser = verbs.add_parser("collect", help=text, description=f"{text[0].upper()}{text[1:]}.")
    parser.add_argument("--dry-run", action="store_true", help="print what would be removed, without removing it")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(act=_run_collection)


def _run_collection(args: argparse.Namespace, settings: Settings) -> int:
    with lease.acquire_lease(settings.model_copy(update={"store": LOCAL})) as held:
        found = endpoints.resolve_endpoints(settings.model_copy(update={"store": LOCAL}), held.record)
        done = collect_unused(found, settings, dry=args.dry_run)
    print(
        json.dumps(asdict(done), indent=2) if args.json else "\n".join(_result_lines(done, settings, dry=args.dry_run))
    )
    return 0


def collect_unused(found: Endpoints, settings: Settings, *, dry: bool) -> CollectionResult:
    """Remove unused contents from the built-in store.

    Args:
        found: endpoints with the Prefect API whose deployments use contents.
        settings: contain the store's folder and the grace period.
        dry: remove nothing.

    Raises:
        SatflowError: the contents in use cannot be determined, or the disk failed.
    """
    contents = Contents(settings.state_dir / "store", limit=settings.content_limit)
    in_use = interrupts.run(find_used_digests(found, settings, contents.read_content))
    try:
        return collect_contents(contents, in_use, grace=settings.retention_days * DAY, dry_run=dry)
    except OSError as error:
        raise DiskFull(
            f"{settings.state_dir / 'store'} cannot be changed: {error.strerror}.", fix="Check the disk and try again."
        ) from None


def _result_lines(done: CollectionResult, settings: Settings, *, dry: bool) -> Iterator[str]:
    yield f"{done.in_use} contents are in use."
    yield f"{format_total(done.removed)} {'would be' if dry else 'were'} removed."
    if done.waiting:
        first = datetime.fromtimestamp(
            min(each.since for each in done.waiting) + settings.retention_days * DAY
        ).astimezone()
        yield f"{format_total(done.waiting)} are not in use, and can be removed from {first:%Y-%m-%d %H:%M} on."


def format_total(kept: Sequence[UnreferencedContent]) -> str:
    """Format the number of contents and their total size."""
    return f"{len(kept)} contents ({sum(each.size for each in kept) / 1024:,.1f} KiB)"


ReadDocument = Callable[[str], bytes | None]


async def find_used_digests(endpoints: Endpoints, settings: Settings, read: ReadDocument) -> frozenset[str]:
    """Return the digests of all manifests, flow contents and data files that are referenced.

    The pins of deployments are read from the Prefect API in use. Other Prefect APIs that this user registered with are not
    queried: their pins in the journal count as in use.

    Args:
        endpoints: the Prefect API.
        settings: define the folder of the journal.
        read: digest → the document in the built-in store, None if there is none.

    Raises:
        PrefectFailed: the API did not answer.
        JournalFailed: an entry cannot be read, so its references are unknown.
        ContentRefused: a manifest cannot be read, so its references are unknown.
    """
    pins = [*await queries.list_pins(endpoints), *Journal(settings).pins_elsewhere(endpoints)]
    return follow_references([pin.manifest for pin in pins if pin.store == LOCAL], read)


def follow_references(manifests: Iterable[str], read: ReadDocument) -> frozenset[str]:
    """Return the digests of these manifests, of all versions before them, and of everything that they reference.

    Raises:
        ContentRefused: an existing manifest cannot be read.
    """
    found: set[str] = set()
    waiting = list(manifests)
    while waiting:
        digest = waiting.pop()
        if digest in found:
            continue
        found.add(digest)
        document = read(digest)
        if document is not None:
            known = manifest.parse_manifest(document, digest)
            found.add(known.content)
            found.update(file.digest for file in known.files)
            waiting += known.earlier
    return frozenset(found)


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
