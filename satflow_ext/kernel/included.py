"""Data files that are packed with a flow: expansion of patterns, and private copies named by their digest.

A pattern is relative to the notebook's folder; a file has the same relative path in the run's working directory. A pattern that
leads out of that folder, by `..`, an absolute path or a link, is refused, and so is a pattern that matches nothing.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath

from pydantic import ValidationError

from satflow_ext.display.size_format import size_text
from satflow_ext.errors import ContentTooLarge, InvalidInclude
from satflow_ext.kernel.flow_discovery import Shell, notebook_path
from satflow_ext.models import CarriedFile

FILES_FOLDER = "files"
SKIPPED_FOLDERS = frozenset({"__pycache__", ".ipynb_checkpoints", ".git"})
"""Folders that are left out when a folder that contains them is included."""
MAX_FILES = 1000
"""Maximum number of files: each is a separate content in the store."""
LISTED_FILES = 5
CHUNK_SIZE = 1024 * 1024


def notebook_folder(shell: Shell | None) -> Path:
    """Return the notebook's folder: from Jupyter if it set the path, else the directory in which the kernel was started."""
    notebook = Path(notebook_path() or "")
    if notebook.is_absolute() and notebook.parent.is_dir():
        return notebook.parent
    visited = shell.user_ns.get("_dh") if shell is not None else None
    if isinstance(visited, list) and visited:
        return Path(str(visited[0]))
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    return Path(script).parent if shell is None and isinstance(script, str) else Path.cwd()


def copy_included_files(patterns: Sequence[str], folder: Path, directory: Path, limit: int) -> tuple[CarriedFile, ...]:
    """Copy the files that match patterns.

    Args:
        patterns: glob patterns or folders, relative to `folder`; a folder includes all files below it.
        folder: the notebook's folder.
        directory: a private folder; the copies are written to its subfolder `files`.
        limit: maximum total size in bytes.

    Returns:
        The files, sorted by path.

    Raises:
        InvalidInclude: a pattern leads out of the folder or matches nothing, a file cannot be read, or its name is not valid.
        ContentTooLarge: the total size is larger than `limit`.
    """
    found = match_files(patterns, folder, limit)
    if found:
        (directory / FILES_FOLDER).mkdir(mode=0o700, exist_ok=True)
    return tuple(_copy_file(place, found[place], directory / FILES_FOLDER) for place in sorted(found))


def match_files(patterns: Sequence[str], folder: Path, limit: int) -> dict[str, Path]:
    """Return the files that match patterns: path relative to the notebook's folder → file.

    Args:
        patterns: glob patterns or folders, relative to `folder`; a folder includes all files below it.
        folder: the notebook's folder.
        limit: maximum total size in bytes.

    Raises:
        InvalidInclude: a pattern leads out of the folder or matches nothing.
        ContentTooLarge: the total size is larger than `limit`.
    """
    folder = folder.resolve()
    found = {place: file for pattern in patterns for place, file in _match_pattern(pattern, folder)}
    if len(found) > MAX_FILES:
        raise _include_error(
            f"{len(found)} files match, more than the limit of {MAX_FILES}.", "Put them into one archive."
        )
    _check_size(found, limit)
    return found


def _match_pattern(pattern: str, folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield (relative path, file) for each file that matches a pattern."""
    parts = PurePath(pattern).parts
    if not parts or PurePath(pattern).is_absolute() or ".." in parts:
        raise _include_error(
            f"{pattern!r} leads out of the notebook's folder.", f"Give a path below {folder}, such as data/*.csv."
        )
    matched = False
    for match in sorted(folder.glob(pattern)):
        for file in _list_files(match):
            matched = True
            if not file.resolve().is_relative_to(folder):
                raise _include_error(
                    f"{file.relative_to(folder)} leads to {file.resolve()}, out of the notebook's folder."
                )
            yield file.relative_to(folder).as_posix(), file
    if not matched:
        raise _include_error(
            f"{pattern!r} matches no file in {folder}.", "Check the pattern; it is relative to that folder."
        )


def _list_files(match: Path) -> Iterator[Path]:
    """Yield the file, or all files below the folder."""
    if not match.is_dir():
        yield match
        return
    for base, folders, names in os.walk(match):
        folders[:] = sorted(set(folders) - SKIPPED_FOLDERS)
        yield from (Path(base, name) for name in sorted(names))


def _check_size(found: dict[str, Path], limit: int) -> None:
    sizes = {place: _file_size(place, file) for place, file in found.items()}
    if sum(sizes.values()) > limit:
        largest = sorted(sizes.items(), key=lambda item: -item[1])[:LISTED_FILES]
        listed = ", ".join(f"{place} ({size_text(size)})" for place, size in largest)
        raise ContentTooLarge(
            f"The included files have {size_text(sum(sizes.values()))}, more than {size_text(limit)}. The largest: {listed}.",
            fix="Include fewer files, read them from storage that the run can access, or raise `content_limit` in the settings.",
            field="include",
        )


def _file_size(place: str, file: Path) -> int:
    if not file.is_file():
        raise _include_error(f"{place} is not a regular file.", "Include only regular files.")
    return file.stat().st_size


def _copy_file(place: str, file: Path, folder: Path) -> CarriedFile:
    """Copy and hash a file in one pass, so that size and digest match the copy, and name the copy by its digest."""
    incoming, hashed = folder / "incoming", hashlib.sha256()
    try:
        with file.open("rb") as source, incoming.open("wb") as copy:
            while chunk := source.read(CHUNK_SIZE):
                hashed.update(chunk)
                copy.write(chunk)
        size = incoming.stat().st_size
        incoming.rename(folder / hashed.hexdigest())
        return CarriedFile(path=place, size=size, digest=f"sha256:{hashed.hexdigest()}")
    except OSError as error:
        raise _include_error(f"{place} cannot be read: {error.strerror}.") from None
    except ValidationError as error:
        reason = error.errors(include_url=False)[0]["msg"]
        raise _include_error(
            f"{place!r} is not a valid name for an included file: {reason}.", "Rename the file."
        ) from None


def _include_error(message: str, fix: str | None = None) -> InvalidInclude:
    return InvalidInclude(message, fix=fix, field="include")
