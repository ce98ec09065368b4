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
from satflow_ext.registration import envelope, manifests, packing_environment
from satflow_ext.registration.envelope import Opened
from satflow_ext.registration.manifest import Manifest
from satflow_ext.registration.packing_environment import Maker
from satflow_ext.registration.store_client import StoreClient
from satflow_ext.registration.version_chain import Chain
from satflow_ext.registration.versions import manifest_of
from satflow_ext.settings import Settings


@dataclass(frozen=True)
class Brought:
    """A version whose manifest and content were checked: size, digest, signature, deployment and version, reader."""

    manifest: Manifest
    opened: Opened


async def bring(chain: Chain, number: int, trusted: TrustedKeys, reader: Maker | None = None) -> Brought:
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
    shown = await manifest_of(chain, number)
    manifest = await manifests.verified(chain.store, chain.digests[number], trusted)
    content = await _content(chain.store, manifest)
    assert manifest == shown  # the same digest is the same document
    reads = reader or packing_environment.of(manifest.environment)
    return Brought(manifest, await asyncio.to_thread(envelope.opened, content, manifest.pinned, trusted, reads))


@asynccontextmanager
async def as_file(opened: Opened, settings: Settings) -> AsyncIterator[Path]:
    """Provide the pickle as a private file while the block runs.

    Raises:
        DiskFull: this machine has no room for it.
    """
    with scratch.folder(settings, "pack") as folder, scratch.room(folder):
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
                raise _gone(f"the file {file.path}", manifest) from None


async def _content(store: Store, manifest: Manifest) -> bytes:
    async with StoreClient(store) as store_client:
        try:
            return await store_client.get(manifest.content, limit=manifest.size)
        except ContentMissing:
            raise _gone("the content", manifest) from None


def _gone(what: str, manifest: Manifest) -> ContentMissing:
    return ContentMissing(
        f"The store no longer has {what} of {manifest.full_name} version {manifest.version}.",
        fix="Choose another version, or register the flow again: `satflow versions` shows which contents are kept.",
    )
