"""The distributions installed for this interpreter, from the metadata of installers (PEP 376, PEP 610, PEP 627)."""

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

from satflow_ext.endpoints import hide_credentials
from satflow_ext.models import Distribution, Environment, Origin

METADATA_FOLDER = re.compile(r"(?P<name>.+?)-(?P<version>[^-]+)(-[^-]+)?\.(dist|egg)-info")
INSTALLER_FILE = re.compile(r"[^/]+\.dist-info/(INSTALLER|REQUESTED|RECORD|direct_url\.json|uv_\w+\.json)")
SCRIPT_PATH = re.compile(r"(\.\./)*(bin|Scripts)/")


class InstalledDistribution(NamedTuple):
    """A distribution, and the top-level names that it makes importable."""

    distribution: Distribution
    modules: frozenset[str]


def read_environment() -> Environment:
    """Return the interpreter of this process and all distributions that are installed for it."""
    return Environment(
        python=platform.python_version(),
        implementation=platform.python_implementation(),
        magic=importlib.util.MAGIC_NUMBER.hex(),
        executable=sys.executable,
        distributions=tuple(each.distribution for each in list_installed()),
    )


def list_installed() -> list[InstalledDistribution]:
    """Return all distributions, sorted by name. Reads one file of each, and caches it until it changes."""
    found = [
        _read_distribution(folder, name, version, _last_change(folder))
        for name, version, folder in _list_metadata_folders()
    ]
    return sorted(found, key=lambda each: each.distribution.name)


def read_versions() -> dict[str, str]:
    """Return name → version, from the names of the metadata folders, without reading a file."""
    return {name: version for name, version, _ in _list_metadata_folders()}


def find_distributions(names: Iterable[str]) -> dict[str, Distribution]:
    """Return the distributions with these names that are installed."""
    name_set = frozenset(names)
    chosen = [each for each in _list_metadata_folders() if each[0] in name_set]
    return {
        name: _read_distribution(folder, name, version, _last_change(folder)).distribution
        for name, version, folder in chosen
    }


def find_metadata_folder(name: str) -> Path | None:
    """Return the metadata folder of a distribution; None if it is not installed."""
    return next((Path(folder) for each, _, folder in _list_metadata_folders() if each == name), None)


def find_providers(modules: Iterable[str]) -> tuple[str, ...]:
    """Return the sorted names of the distributions that provide one of these top-level modules."""
    module_set = frozenset(modules)
    return tuple(each.distribution.name for each in list_installed() if each.modules & module_set)


def normalize_name(name: str) -> str:
    """Normalize a distribution's name as PEP 503 specifies."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _list_metadata_folders() -> Iterator[tuple[str, str, str]]:
    """Yield name, version and metadata folder; the first on `sys.path` wins, as in an import."""
    seen: set[str] = set()
    for place in sys.path:
        for entry in sorted(_list_entries(place or ".")):
            named = _parse_folder_name(entry)
            if named and named[0] not in seen:
                seen.add(named[0])
                yield *named, os.path.join(place, entry)


def _list_entries(place: str) -> list[str]:
    """List an entry of `sys.path`, which may be a zip file or may not exist."""
    try:
        return os.listdir(place)
    except OSError:
        return []


@lru_cache(maxsize=4096)
def _parse_folder_name(entry: str) -> tuple[str, str] | None:
    """Parse name and version from the name of a metadata folder; None for any other entry."""
    match = METADATA_FOLDER.fullmatch(entry)
    return (normalize_name(match["name"]), match["version"]) if match else None


def _last_change(folder: str) -> int:
    """Return the time of the last change of the metadata, in nanoseconds."""
    try:
        return os.stat(os.path.join(folder, "RECORD")).st_mtime_ns
    except OSError:
        return os.stat(folder).st_mtime_ns


@lru_cache(maxsize=4096)
def _read_distribution(place: str, name: str, version: str, changed: int) -> InstalledDistribution:
    folder = Path(place)
    record = _read_text(folder / "RECORD")
    digest = _digest_of_record(record) if record else _digest_of_metadata(folder)
    distribution = Distribution(name=name, version=version, files=digest, origin=_read_origin(folder))
    return InstalledDistribution(distribution, _importable_names(record or _read_text(folder / "top_level.txt")))


def _digest_of_record(record: str) -> str:
    """Hash the rows of the distribution's files. The digest does not depend on the installer.

    Files of the installer, compiled files and scripts, whose first line names an interpreter, are left out.
    """
    rows = sorted(line for line in record.splitlines() if ",sha256=" in line and _is_distribution_row(line))
    return _sha256("\n".join(rows).encode())


def _is_distribution_row(row: str) -> bool:
    return not (INSTALLER_FILE.match(row) or SCRIPT_PATH.match(row) or ".pyc," in row)


def _digest_of_metadata(folder: Path) -> str:
    """Hash the metadata of a distribution without a RECORD. The metadata may be a single file."""
    files = [folder] if folder.is_file() else sorted(file for file in folder.rglob("*") if file.is_file())
    return _sha256(b"".join(file.name.encode() + b"\0" + file.read_bytes() for file in files))


def _importable_names(listing: str) -> frozenset[str]:
    """Return importable names from the first parts of a RECORD's paths, or the lines of a `top_level.txt`."""
    parts = {re.split(r"[/,]", line, maxsplit=1)[0] for line in listing.splitlines()}
    return frozenset(part.partition(".")[0] for part in parts if not part.endswith(("-info", ".data", "..")))


def _read_origin(folder: Path) -> Origin | None:
    """Read `direct_url.json`; None for a distribution from an index."""
    text = _read_text(folder / "direct_url.json")
    # Conda packages contain a folder of the machine that built them.
    if not text or _read_text(folder / "INSTALLER").strip() == "conda":
        return None
    try:
        fields = json.loads(text)
        vcs, archive = fields.get("vcs_info") or {}, fields.get("archive_info") or {}
        return Origin(
            url=hide_credentials(fields["url"]),
            vcs=vcs.get("vcs"),
            commit=vcs.get("commit_id"),
            subdirectory=fields.get("subdirectory"),
            sha256=_archive_sha256(archive),
            editable=bool((fields.get("dir_info") or {}).get("editable")),
        )
    except (ValueError, KeyError, AttributeError):  # not in the format of PEP 610
        return None


def _archive_sha256(archive: dict[str, object]) -> str | None:
    hashes = archive.get("hashes")
    known = hashes.get("sha256") if isinstance(hashes, dict) else None
    old_way = str(archive.get("hash") or "")
    return str(known) if known else old_way.removeprefix("sha256=") if old_way.startswith("sha256=") else None


def _sha256(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _read_text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, ValueError):
        return ""
