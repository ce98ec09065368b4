"""The version of a run, from its manifest in the store: the code of a failed run, and the defaults of parameters.

The Prefect API receives no defaults, and below the level "everything" no lines of code. The version has them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from satflow_ext.deployments.versions import read_chain
from satflow_ext.endpoints import Endpoints
from satflow_ext.errors import SatflowError
from satflow_ext.models import (
    Cell,
    Failure,
    FailureCell,
    FailureException,
    FailureFrame,
    Run,
    RunDetail,
    RunVersion,
    SourceFile,
)
from satflow_ext.runs.failure import file_name, find_cell_hash
from satflow_ext.versions.chain import VersionChain, read_version_manifest
from satflow_ext.versions.manifest import MAX_EARLIER, Manifest

STORE_TIMEOUT = 10.0
"""Seconds after which a run is shown without its version, because the store does not answer."""
MAX_SEARCHED = 4 * MAX_EARLIER
"""Maximum number of versions that are searched for the one that ran."""


async def add_failed_code(endpoints: Endpoints, detail: RunDetail) -> RunDetail:
    """Add the version that ran, its notebook, and its code to the failure of a run, if the store has its manifest."""
    failure = detail.failure
    if failure is None or not failure.exceptions:
        return detail
    manifest = await _try_read_manifest(endpoints, detail.run, _cell_files(failure))
    return detail if manifest is None else detail.model_copy(update={"failure": add_code(failure, manifest)})


async def read_run_version(endpoints: Endpoints, run: Run) -> RunVersion:
    """Read the version of its deployment that a run executes, and the defaults of its parameters."""
    manifest = await _try_read_manifest(endpoints, run, frozenset()) if run.start else None
    if manifest is None:
        return RunVersion(number=run.version, defaults={})
    properties: Any = manifest.parameter_schema.get("properties", {})
    defaults = {name: schema["default"] for name, schema in properties.items() if "default" in schema}
    return RunVersion(number=manifest.version, defaults=defaults)


async def find_version(endpoints: Endpoints, detail: RunDetail) -> int | None:
    """Return the number of the version that a run executed: as the run recorded it, or else by its code and time.

    Returns:
        None if the run does not belong to a deployment, or no version is older.

    Raises:
        DeploymentNotFound: the deployment was deleted, or SatFlow did not create it.
        SettingsWrong: its versions are in another store.
    """
    if detail.run.version is not None:
        return detail.run.version
    manifest = await _read_manifest(endpoints, detail.run, _cell_files(detail.failure))
    return None if manifest is None else manifest.version


async def _try_read_manifest(endpoints: Endpoints, run: Run, files: frozenset[str]) -> Manifest | None:
    """Return the version that a run executed, None if it is unknown or the store does not answer."""
    try:
        return await asyncio.wait_for(_read_manifest(endpoints, run, files), STORE_TIMEOUT)
    except (SatflowError, asyncio.TimeoutError):  # such as a deleted deployment
        return None


async def _read_manifest(endpoints: Endpoints, run: Run, files: frozenset[str]) -> Manifest | None:
    """Return the version that a run has recorded; if it has not, search for it by the files of its cells and its start."""
    if run.deployment_id is None:
        return None
    chain = await read_chain(endpoints, run.deployment_id)
    if run.version is not None:
        return await read_version_manifest(chain, run.version)
    return await _search_version(chain, run.start or run.created, files)


async def _search_version(chain: VersionChain, started: datetime, files: frozenset[str]) -> Manifest | None:
    """Return the newest version from before a run that has all of these cells, by the names of their files.

    Another machine's clock may be wrong, so without such a version it is the newest one with these cells.
    """
    newest: Manifest | None = None
    for first in range(chain.newest, max(chain.newest - MAX_SEARCHED, 0), -MAX_EARLIER):
        for link in await chain.read_links(first, MAX_EARLIER):
            found = link.found
            if isinstance(found, Manifest) and files <= _names(found.source.cells):
                if found.registered_at <= started:
                    return found
                newest = newest or found
    return newest if files else None


def _cell_files(failure: Failure | None) -> frozenset[str]:
    frames = () if failure is None else _list_frames(failure)
    return frozenset(file_name(each.file) for each in frames if each.cell)


def _names(cells: Iterable[Cell]) -> frozenset[str]:
    return frozenset(file_name(cell.file) for cell in cells)


def _list_frames(failure: Failure) -> Iterator[FailureFrame]:
    return (frame for error in failure.exceptions for frame in error.frames)


def add_code(failure: Failure, manifest: Manifest) -> Failure:
    """Return the failure with the cells and the lines of code of a version.

    Args:
        failure: the failure of a run of that version.
        manifest: the version.
    """
    cells = {file_name(cell.file): cell for cell in manifest.source.cells}
    files = {file_name(each.path): each for each in manifest.source.files}
    used = {file_name(each.file): each for each in _list_frames(failure) if file_name(each.file) in cells}
    return failure.model_copy(
        update={
            "version": manifest.version,
            "notebook": manifest.source.notebook,
            "exceptions": _map_frames(failure.exceptions, lambda frame: _add_line(frame, cells, files)),
            "cells": tuple(
                FailureCell(hash=_identify(cells[name]), number=cells[name].number, text=cells[name].text)
                for name in used
            ),
        }
    )


def _map_frames(
    exceptions: tuple[FailureException, ...], convert: Callable[[FailureFrame], FailureFrame]
) -> tuple[FailureException, ...]:
    return tuple(
        each.model_copy(update={"frames": tuple(convert(frame) for frame in each.frames)}) for each in exceptions
    )


def _add_line(frame: FailureFrame, cells: dict[str, Cell], files: dict[str, SourceFile]) -> FailureFrame:
    name = file_name(frame.file)
    if cell := cells.get(name):
        update = {"cell": _identify(cell), "package": None, "code": frame.code or _line(cell.text, frame.line)}
        return frame.model_copy(update=update)
    source = files.get(name)
    if source is None or frame.package or not _defines(source.text, frame.function):
        return frame
    return frame.model_copy(update={"package": None, "code": frame.code or _line(source.text, frame.line)})


def _identify(cell: Cell) -> str:
    """Return the hash of a cell's text; the name of its file if the kernel names files in another way."""
    return find_cell_hash(cell.file) or file_name(cell.file)


def _defines(text: str, function: str) -> bool:
    """Return whether a file defines that function: another file may have the same name."""
    return function in ("<module>", "") or function.startswith("<") or f"def {function.rpartition('.')[2]}(" in text


def _line(text: str, number: int) -> str | None:
    lines = text.split("\n")
    return lines[number - 1].strip() or None if 0 < number <= len(lines) else None
