"""What is installed for this interpreter, told from the metadata that installers leave (PEP 376, PEP 610, PEP 627)."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import platform
import re
import sys
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from satflow_ext.endpoints import shown
from satflow_ext.models import Distribution, Environment, Origin

FOLDER = re.compile(r"(?P<name>.+?)-(?P<version>[^-]+)(-[^-]+)?\.(dist|egg)-info")
INSTALLERS_OWN = re.compile(r"[^/]+\.dist-info/(INSTALLER|REQUESTED|RECORD|direct_url\.json|uv_\w+\.json)")
SCRIPT = re.compile(r"(\.\./)*(bin|Scripts)/")


class Installed(NamedTuple):
    """A distribution, and the top-level names that its files give to imports."""

    distribution: Distribution
    modules: frozenset[str]


def environment() -> Environment:
    """The interpreter of this process and everything that is installed for it."""
    return Environment(
        python=platform.python_version(),
        implementation=platform.python_implementation(),
        magic=importlib.util.MAGIC_NUMBER.hex(),
        executable=sys.executable,
        distributions=tuple(each.distribution for each in installed()),
    )


def installed() -> list[Installed]:
    """Every distribution, sorted by name. Reads one file of each, and none again that did not change."""
    found = [_read(folder, name, version, _changed(folder)) for name, version, folder in _folders()]
    return sorted(found, key=lambda each: each.distribution.name)


def versions() -> dict[str, str]:
    """Name → version, told from the names of the metadata folders: no file is read."""
    return {name: version for name, version, _ in _folders()}


def named(names: Iterable[str]) -> dict[str, Distribution]:
    """Those of the named distributions that are installed."""
    wanted = frozenset(names)
    chosen = [each for each in _folders() if each[0] in wanted]
    return {name: _read(folder, name, version, _changed(folder)).distribution for name, version, folder in chosen}


def metadata_folder(name: str) -> Path | None:
    """Where the metadata of a distribution are, None where it is not installed."""
    return next((Path(folder) for each, _, folder in _folders() if each == name), None)


def providing(modules: Iterable[str]) -> tuple[str, ...]:
    """The distributions whose files give one of these top-level names to imports, sorted."""
    wanted = frozenset(modules)
    return tuple(each.distribution.name for each in installed() if each.modules & wanted)


def normal(name: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _folders() -> Iterator[tuple[str, str, str]]:
    """Name, version and metadata folder; the first on `sys.path` wins, as in an import."""
    seen: set[str] = set()
    for place in sys.path:
        for entry in sorted(_entries(place or ".")):
            named = _named(entry)
            if named and named[0] not in seen:
                seen.add(named[0])
                yield *named, os.path.join(place, entry)


def _entries(place: str) -> list[str]:
    """What is in a place on `sys.path`, which may be a zip file or may not exist."""
    try:
        return os.listdir(place)
    except OSError:
        return []


@lru_cache(maxsize=4096)
def _named(entry: str) -> tuple[str, str] | None:
    """The name and version that a metadata folder's own name tells, None for another entry."""
    match = FOLDER.fullmatch(entry)
    return (normal(match["name"]), match["version"]) if match else None


def _changed(folder: str) -> int:
    """When the metadata changed last, in nanoseconds."""
    try:
        return os.stat(os.path.join(folder, "RECORD")).st_mtime_ns
    except OSError:
        return os.stat(folder).st_mtime_ns


@lru_cache(maxsize=4096)
def _read(place: str, name: str, version: str, changed: int) -> Installed:
    folder = Path(place)
    record = _text(folder / "RECORD")
    digest = _digest_of_record(record) if record else _digest_of_metadata(folder)
    distribution = Distribution(name=name, version=version, files=digest, origin=_origin(folder))
    return Installed(distribution, _modules(record or _text(folder / "top_level.txt")))


def _digest_of_record(record: str) -> str:
    """Over the rows of what came with the distribution: the same whichever installer put it there.

    Left out are the installer's own files, compiled files, and scripts, whose first line names an interpreter.
    """
    rows = sorted(line for line in record.splitlines() if ",sha256=" in line and _of_distribution(line))
    return _sha256("\n".join(rows).encode())


def _of_distribution(row: str) -> bool:
    return not (INSTALLERS_OWN.match(row) or SCRIPT.match(row) or ".pyc," in row)


def _digest_of_metadata(folder: Path) -> str:
    """Over what is there instead of a RECORD: the metadata itself, which may be a single file."""
    files = [folder] if folder.is_file() else sorted(file for file in folder.rglob("*") if file.is_file())
    return _sha256(b"".join(file.name.encode() + b"\0" + file.read_bytes() for file in files))


def _modules(listing: str) -> frozenset[str]:
    """First parts of the paths of a RECORD, or the lines of a `top_level.txt`, as names that can be imported."""
    parts = {re.split(r"[/,]", line, maxsplit=1)[0] for line in listing.splitlines()}
    return frozenset(part.partition(".")[0] for part in parts if not part.endswith(("-info", ".data", "..")))


def _origin(folder: Path) -> Origin | None:
    """What `direct_url.json` says, None for what came from an index."""
    text = _text(folder / "direct_url.json")
    # Conda's packages name a folder of the machine that built them.
    if not text or _text(folder / "INSTALLER").strip() == "conda":
        return None
    try:
        said = json.loads(text)
        vcs, archive = said.get("vcs_info") or {}, said.get("archive_info") or {}
        return Origin(
            url=shown(said["url"]),
            vcs=vcs.get("vcs"),
            commit=vcs.get("commit_id"),
            subdirectory=said.get("subdirectory"),
            sha256=_sha256_of(archive),
            editable=bool((said.get("dir_info") or {}).get("editable")),
        )
    except (ValueError, KeyError, AttributeError):  # not what PEP 610 says
        return None


def _sha256_of(archive: dict[str, object]) -> str | None:
    hashes = archive.get("hashes")
    known = hashes.get("sha256") if isinstance(hashes, dict) else None
    old_way = str(archive.get("hash") or "")
    return str(known) if known else old_way.removeprefix("sha256=") if old_way.startswith("sha256=") else None


def _sha256(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, ValueError):
        return ""
