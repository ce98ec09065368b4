"""Download and check the content of a registered version: the first step of a rollback and of loading into a notebook."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from satflow_ext import scratch
from satflow_ext.endpoints import Store
from satflow_ext.errors import ContentMissing
from satflow_ext.keys import TrustedKeys
from satflow_ext.settings import Settings
from satflow_ext.versions import envelope, manifest_store, packing_environment
from satflow_ext.versions.chain import VersionChain, read_version_manifest
from satflow_ext.versions.envelope import OpenedContent
from satflow_ext.versions.manifest import Manifest
from satflow_ext.versions.packing_environment import PackingEnvironment
from satflow_ext.versions.store_client import StoreClient


@dataclass(frozen=True)
class CheckedVersion:
    """A version whose manifest and content were checked: size, digest, signature, deployment and version, reader."""

    manifest: Manifest
    opened: OpenedContent


async def download_version(
    chain: VersionChain, number: int, trusted: TrustedKeys, reader: PackingEnvironment | None = None
) -> CheckedVersion:
    """Download a version and check it as a flow run does. Nothing is unpickled.

    Args:
        chain: the deployment's versions.
        number: the version.
        trusted: the keys whose flows may run on this machine.
        reader: the interpreter that will unpickle it; None if it will not be unpickled.

    Raises:
        VersionNotFound: there is no such version.
        ContentMissing: the store no longer has its content.
        NotTrusted: it was signed by a key that is not trusted.
        ContentRefused: the content does not match its manifest.
        PythonMismatch: the reader's Python is not the one that packed it.
    """
    shown = await read_version_manifest(chain, number)
    manifest = await manifest_store.read_verified_manifest(chain.store, chain.digests[number], trusted)
    content = await _download_content(chain.store, manifest)
    assert manifest == shown  # the same digest is the same document
    reads = reader or packing_environment.from_environment(manifest.environment)
    return CheckedVersion(
        manifest, await asyncio.to_thread(envelope.open_content, content, manifest.expected_content, trusted, reads)
    )


@asynccontextmanager
async def private_pickle_file(opened: OpenedContent, settings: Settings) -> AsyncIterator[Path]:
    """Provide the pickle as a private file while the block runs.

    Raises:
        DiskFull: this machine has no room for it.
    """
    with scratch.scratch_folder(settings, "pack") as folder, scratch.report_disk_full(folder):
        body = folder / "body"
        await asyncio.to_thread(body.write_bytes, opened.body)
        yield body


async def check_files(store: Store, manifest: Manifest) -> None:
    """Check that the store still has the data files of a version.

    Raises:
        ContentMissing: a file is missing.
    """
    async with StoreClient(store) as store_client:
        for file in manifest.files:
            try:
                await store_client.verify(file.digest, file.size)
            except ContentMissing:
                raise _missing_error(f"the file {file.path}", manifest) from None


async def _download_content(store: Store, manifest: Manifest) -> bytes:
    async with StoreClient(store) as store_client:
        try:
            return await store_client.get(manifest.content, limit=manifest.size)
        except ContentMissing:
            raise _missing_error("the content", manifest) from None


def _missing_error(what: str, manifest: Manifest) -> ContentMissing:
    return ContentMissing(
        f"The store no longer has {what} of {manifest.full_name} version {manifest.version}.",
        fix="Choose another version, or register the flow again: `satflow versions` shows which contents are kept.",
    )
