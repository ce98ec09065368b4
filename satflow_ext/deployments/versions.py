"""The versions of a deployment: list, inspect and compare them, and find the one that a run executes.

The Prefect API receives no defaults of parameters, and below the level "everything" no lines of code. The manifest in the store
has both, and so the code of a failed run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from satflow_ext.deployments import queries
from satflow_ext.endpoints import Endpoints, Store
from satflow_ext.errors import DeploymentNotFound, SatflowError, SettingsWrong
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
    Version,
    VersionDetail,
    VersionDiff,
    VersionList,
    VersionQuery,
    VersionRecord,
)
from satflow_ext.prefect_api import prefect_client
from satflow_ext.prefect_rows import DeploymentRow
from satflow_ext.runs.failure import file_name, find_cell_hash
from satflow_ext.versions import comparison, manifest_store
from satflow_ext.versions.chain import VersionChain, VersionLink, read_version_manifest
from satflow_ext.versions.manifest import MAX_EARLIER, Manifest
from satflow_ext.versions.pin import pin_of
from satflow_ext.versions.store_client import StoreClient

LOST_VERSIONS = "The versions before version {number} are unknown: its manifest cannot be read."
OTHER_STORE = "The versions of {name} are in the store {store!r}, which is not the store in use."

STORE_TIMEOUT = 10.0
"""Seconds after which a run is shown without its version, because the store does not answer."""
MAX_SEARCHED = 4 * MAX_EARLIER
"""Maximum number of versions that are searched for the one that ran."""


async def list_versions(endpoints: Endpoints, deployment_id: str, query: VersionQuery) -> VersionList:
    """Return a page of versions, newest first.

    Raises:
        DeploymentNotFound: Prefect has no deployment with that id, or SatFlow did not create it.
        SettingsWrong: its versions are in another store.
        PrefectFailed: the API did not answer.
    """
    chain = await read_chain(endpoints, deployment_id)
    first = min(chain.newest, query.before - 1) if query.before is not None else chain.newest
    links = await chain.read_links(first, query.limit + 1) if first > 0 else []
    page, further = links[: query.limit], links[query.limit :]
    kept = await _check_contents(endpoints.store, page)
    summaries = await asyncio.to_thread(_summarize_links, [*page, *further])
    lowest = page[-1].number if page else first + 1
    return VersionList(
        deployment_id=deployment_id,
        versions=tuple(_build_version(link, chain, kept[link.number], summaries[link.number]) for link in page),
        next=further[0].number + 1 if further else None,
        lost=LOST_VERSIONS.format(number=lowest)
        if not further and lowest > 1 and len(page) < query.limit + 1
        else None,
    )


async def read_version(endpoints: Endpoints, deployment_id: str, number: int) -> VersionDetail:
    """Return the details of one version.

    Raises:
        DeploymentNotFound: Prefect has no deployment with that id, or SatFlow did not create it.
        VersionNotFound: it has no such version.
        ContentMissing: the store has lost the version's manifest.
    """
    chain = await read_chain(endpoints, deployment_id)
    manifest = await read_version_manifest(chain, number)
    links = await chain.read_links(number, 2)
    kept, summaries = (
        await _check_contents(endpoints.store, links[:1]),
        await asyncio.to_thread(_summarize_links, links),
    )
    return VersionDetail(
        version=_build_version(links[0], chain, kept[number], summaries[number]),
        chosen=manifest.chosen,
        python=manifest.environment.python,
        source=manifest.source,
    )


async def diff_versions(endpoints: Endpoints, deployment_id: str, before: int, after: int) -> VersionDiff:
    """Compare one version with another.

    Raises:
        DeploymentNotFound: Prefect has no deployment with that id, or SatFlow did not create it.
        VersionNotFound: it has no such version.
        ContentMissing: the store has lost a version's manifest.
    """
    chain = await read_chain(endpoints, deployment_id)
    old, new = await read_version_manifest(chain, before), await read_version_manifest(chain, after)
    return await asyncio.to_thread(comparison.compare_versions, old, new)


async def read_chain(endpoints: Endpoints, deployment_id: str) -> VersionChain:
    """Return the version chain of a deployment.

    Raises:
        DeploymentNotFound: Prefect has no deployment with that id, or SatFlow did not create it.
        SettingsWrong: its versions are in another store.
    """
    async with prefect_client(endpoints.prefect) as client:
        row, flow_name = await queries.read_row(client, deployment_id)
    return await build_chain(row, f"{flow_name}/{row.name}", endpoints.store)


async def build_chain(row: DeploymentRow, full_name: str, store: Store) -> VersionChain:
    """Return the version chain of a deployment from its row."""
    pin = pin_of(row)
    if pin is None:
        raise DeploymentNotFound(
            f"SatFlow did not create {full_name}.", fix="Only deployments that SatFlow created have versions."
        )
    if pin.store != store.name:
        raise SettingsWrong(OTHER_STORE.format(name=full_name, store=pin.store), fix=f"Set SATFLOW_STORE={pin.store}.")
    found = (await manifest_store.read_manifests(store, [pin.manifest]))[pin.manifest]
    newest = found.version if isinstance(found, Manifest) else queries.version_number(row.version)
    return VersionChain(store, full_name, newest, {newest: pin.manifest})


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


def _summarize_links(links: list[VersionLink]) -> dict[int, str]:
    """Map versions to a summary of their changes, if the manifests of a version and its predecessor can be read."""
    before = {link.number + 1: link.found for link in links}
    return {link.number: _summarize_version(before.get(link.number), link.found) for link in links}


def _summarize_version(before: Manifest | SatflowError | None, found: Manifest | SatflowError) -> str:
    if isinstance(found, Manifest) and found.restores is not None:
        return f"version {found.restores} again"
    if isinstance(found, Manifest) and found.version == 1:
        return "the first version"
    if isinstance(found, Manifest) and isinstance(before, Manifest):
        return comparison.summarize_diff(comparison.compare_versions(before, found))
    return "unknown changes"


async def _check_contents(store: Store, links: list[VersionLink]) -> dict[int, bool | None]:
    """Map versions to whether the store still has their content; None if that is unknown."""
    async with StoreClient(store) as store_client:
        answers = await asyncio.gather(
            *(
                store_client.has_content(link.found.content, link.found.size)
                if isinstance(link.found, Manifest)
                else _unknown_answer()
                for link in links
            )
        )
    return dict(zip((link.number for link in links), answers, strict=True))


async def _unknown_answer() -> None:
    return None


def _build_version(link: VersionLink, chain: VersionChain, kept: bool | None, summary: str) -> Version:
    found = link.found
    known = found if isinstance(found, Manifest) else None
    return Version(
        number=link.number,
        manifest=link.digest,
        live=link.number == chain.newest,
        problem=None if known else str(found),
        record=_build_record(known, kept, summary) if known else None,
    )


def _build_record(known: Manifest, kept: bool | None, summary: str) -> VersionRecord:
    return VersionRecord(
        registered_at=known.registered_at,
        registered_by=known.registered_by,
        notebook=known.source.notebook,
        content_size=known.size,
        content_kept=kept,
        restores=known.restores,
        summary=summary,
    )


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
