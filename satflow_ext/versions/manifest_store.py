"""Write manifests to stores and read them by digest. They never change, so they are cached."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from satflow_ext.endpoints import Store
from satflow_ext.errors import SatflowError
from satflow_ext.keys import Signer, TrustedKeys
from satflow_ext.versions import manifest
from satflow_ext.versions.manifest import Manifest
from satflow_ext.versions.store_client import StoreClient

CACHE_SIZE = 2000
_cache: dict[str, Manifest] = {}


async def store_manifest(store: Store, document: Manifest, signer: Signer) -> str:
    """Sign a manifest, upload it to a store and return its digest.

    Raises:
        StoreFailed: the manifest was not stored.
    """
    encoded = document.encode(signer)
    digest = manifest.digest_of(encoded)
    async with StoreClient(store) as store_client:
        await store_client.put(digest, encoded)
    return digest


async def read_verified_manifest(store: Store, digest: str, trusted: TrustedKeys) -> Manifest:
    """Read a manifest from the store and verify that a trusted key signed it.

    Raises:
        ContentMissing: the store has no document with that digest.
        NotTrusted: it was signed by a key that is not trusted.
        SignatureWrong: it differs from the document that was signed.
        ContentRefused: it is not a manifest.
        StoreFailed: the request to the store failed.
    """
    async with StoreClient(store) as store_client:
        document = await store_client.get(digest)
    return manifest.parse_verified_manifest(document, digest, trusted)


async def read_manifest(store: Store, digest: str) -> Manifest:
    """Read a manifest from the store regardless of its signature: for display only. Code that acts on it uses `verified`.

    Raises:
        ContentMissing: the store has no document with that digest.
        ContentRefused: the document is not a manifest.
        StoreFailed: the request to the store failed.
    """
    found = (await read_manifests(store, [digest]))[digest]
    if isinstance(found, SatflowError):
        raise found
    return found


async def read_manifests(store: Store, digests: Iterable[str]) -> dict[str, Manifest | SatflowError]:
    """Read several manifests at once: digest → the manifest, or the error that prevented reading it."""
    unique_digests = list(dict.fromkeys(digests))
    found: dict[str, Manifest | SatflowError] = {
        digest: _cache[digest] for digest in unique_digests if digest in _cache
    }
    missing = [digest for digest in unique_digests if digest not in found]
    if missing:
        async with StoreClient(store) as store_client:
            got = await asyncio.gather(*(_read_or_error(store_client, digest) for digest in missing))
        found |= dict(zip(missing, got, strict=True))
    return found


async def _read_or_error(store_client: StoreClient, digest: str) -> Manifest | SatflowError:
    try:
        document = await store_client.get(digest)
        found = manifest.parse_manifest(document, digest)
    except SatflowError as error:
        return error
    while len(_cache) >= CACHE_SIZE:  # removes the oldest first
        _cache.pop(next(iter(_cache)), None)
    _cache[digest] = found
    return found
