"""Data files that travel with a flow: patterns become files, and files become private copies named by their digest.

A pattern is relative to the notebook's folder, and so is the place of the file in the run's working directory. What leads out of
that folder, by `..`, by an absolute path or by a link, is refused; so is what matches nothing.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath

from pydantic import ValidationError

from satflow_ext.errors import ContentTooLarge, InvalidInclude
from satflow_ext.kernel.flow_discovery import Shell, notebook_path
from satflow_ext.kernel.sizes import size_text
from satflow_ext.models import CarriedFile

FOLDER = "files"
SKIPPED = frozenset({"__pycache__", ".ipynb_checkpoints", ".git"})
"""Folders that a named folder is never meant to bring along."""
MOST_FILES = 1000
"""Each is a content of its own in the store."""
LARGEST = 5
CHUNK = 1024 * 1024


def notebook_folder(shell: Shell | None) -> Path:
    """Where the notebook lies: as Jupyter says, else where the kernel was started, whatever the directory is now."""
    notebook = Path(notebook_path() or "")
    if notebook.is_absolute() and notebook.parent.is_dir():
        return notebook.parent
    visited = shell.user_ns.get("_dh") if shell is not None else None
    if isinstance(visited, list) and visited:
        return Path(str(visited[0]))
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    return Path(script).parent if shell is None and isinstance(script, str) else Path.cwd()


def included(patterns: Sequence[str], folder: Path, directory: Path, limit: int) -> tuple[CarriedFile, ...]:
    """Copy the files that patterns name.

    Args:
        patterns: glob patterns or folders, relative to `folder`; a folder means everything below it.
        folder: the notebook's.
        directory: a private folder; the copies go into `files` in it.
        limit: bytes that all of them may have together.

    Returns:
        The files, by path.

    Raises:
        InvalidInclude: a pattern leads out of the folder or matches nothing, or a file cannot be read or named.
        ContentTooLarge: they are larger than `limit`.
    """
    found = matching(patterns, folder, limit)
    if found:
        (directory / FOLDER).mkdir(mode=0o700, exist_ok=True)
    return tuple(_copied(place, found[place], directory / FOLDER) for place in sorted(found))


def matching(patterns: Sequence[str], folder: Path, limit: int) -> dict[str, Path]:
    """Place below the notebook's folder → file, for every file that patterns name.

    Args:
        patterns: glob patterns or folders, relative to `folder`; a folder means everything below it.
        folder: the notebook's.
        limit: bytes that all of them may have together.

    Raises:
        InvalidInclude: a pattern leads out of the folder or matches nothing.
        ContentTooLarge: they are larger than `limit`.
    """
    folder = folder.resolve()
    found = {place: file for pattern in patterns for place, file in _matches(pattern, folder)}
    if len(found) > MOST_FILES:
        raise _refused(f"{len(found)} files match, more than {MOST_FILES}.", "Put them into one archive.")
    _check_size(found, limit)
    return found


def _matches(pattern: str, folder: Path) -> Iterator[tuple[str, Path]]:
    """Place below the folder → file, for every file of a pattern."""
    parts = PurePath(pattern).parts
    if not parts or PurePath(pattern).is_absolute() or ".." in parts:
        raise _refused(
            f"{pattern!r} leads out of the notebook's folder.", f"Give a path below {folder}, such as data/*.csv."
        )
    matched = False
    for match in sorted(folder.glob(pattern)):
        for file in _files(match):
            matched = True
            if not file.resolve().is_relative_to(folder):
                raise _refused(f"{file.relative_to(folder)} leads to {file.resolve()}, out of the notebook's folder.")
            yield file.relative_to(folder).as_posix(), file
    if not matched:
        raise _refused(f"{pattern!r} matches no file in {folder}.", "Check the pattern; it is relative to that folder.")


def _files(match: Path) -> Iterator[Path]:
    """The file, or all files below the folder."""
    if not match.is_dir():
        yield match
        return
    for base, folders, names in os.walk(match):
        folders[:] = sorted(set(folders) - SKIPPED)
        yield from (Path(base, name) for name in sorted(names))


def _check_size(found: dict[str, Path], limit: int) -> None:
    sizes = {place: _size(place, file) for place, file in found.items()}
    if sum(sizes.values()) > limit:
        largest = sorted(sizes.items(), key=lambda item: -item[1])[:LARGEST]
        listed = ", ".join(f"{place} ({size_text(size)})" for place, size in largest)
        raise ContentTooLarge(
            f"The included files have {size_text(sum(sizes.values()))}, more than {size_text(limit)}. The largest: {listed}.",
            fix="Leave some out, read them from a place that the run reaches, or raise `content_limit` in the settings.",
            field="include",
        )


def _size(place: str, file: Path) -> int:
    if not file.is_file():
        raise _refused(f"{place} is no file.", "Only files can travel.")
    return file.stat().st_size


def _copied(place: str, file: Path, folder: Path) -> CarriedFile:
    """A private copy named by its digest, made while it is hashed: what is said of it is true of the copy."""
    incoming, hashed = folder / "incoming", hashlib.sha256()
    try:
        with file.open("rb") as source, incoming.open("wb") as copy:
            while chunk := source.read(CHUNK):
                hashed.update(chunk)
                copy.write(chunk)
        size = incoming.stat().st_size
        incoming.rename(folder / hashed.hexdigest())
        return CarriedFile(path=place, size=size, digest=f"sha256:{hashed.hexdigest()}")
    except OSError as error:
        raise _refused(f"{place} cannot be read: {error.strerror}.") from None
    except ValidationError as error:
        why = error.errors(include_url=False)[0]["msg"]
        raise _refused(f"{place!r} cannot travel under this name: {why}.", "Rename the file.") from None


def _refused(message: str, fix: str | None = None) -> InvalidInclude:
    return InvalidInclude(message, fix=fix, field="include")
