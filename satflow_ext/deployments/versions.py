"""List, inspect and compare the versions of a deployment."""

from __future__ import annotations

import asyncio

from satflow_ext.deployments import queries
from satflow_ext.endpoints import Endpoints, Store
from satflow_ext.errors import DeploymentNotFound, SatflowError, SettingsWrong
from satflow_ext.models import Version, VersionDetail, VersionDiff, VersionList, VersionQuery, VersionRecord
from satflow_ext.prefect_api import prefect_client
from satflow_ext.prefect_rows import DeploymentRow
from satflow_ext.versions import comparison, manifest_store
from satflow_ext.versions.chain import VersionChain, VersionLink, read_version_manifest
from satflow_ext.versions.manifest import Manifest
from satflow_ext.versions.pin import pin_of
from satflow_ext.versions.store_client import StoreClient

LOST_VERSIONS = "The versions before version {number} are unknown: its manifest cannot be read."
OTHER_STORE = "The versions of {name} are in the store {store!r}, which is not the store in use."


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
