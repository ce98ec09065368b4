"""Manifests as stores have them: written once, read by digest, remembered because they never change."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from satflow_ext.endpoints import Store
from satflow_ext.errors import SatflowError
from satflow_ext.keys import Signer, TrustedKeys
from satflow_ext.registration import manifest
from satflow_ext.registration.manifest import Manifest
from satflow_ext.registration.store_client import StoreClient

REMEMBERED = 2000
_known: dict[str, Manifest] = {}


async def write(store: Store, document: Manifest, signer: Signer) -> str:
    """Sign a manifest, put it into a store and give its digest.

    Raises:
        StoreFailed: it was not kept.
    """
    encoded = document.encode(signer)
    digest = manifest.digest_of(encoded)
    async with StoreClient(store) as store_client:
        await store_client.put(digest, encoded)
    return digest


async def verified(store: Store, digest: str, trusted: TrustedKeys) -> Manifest:
    """The manifest of that digest, if whoever signed it may run code here.

    Raises:
        ContentMissing: the store has nothing under it.
        NotTrusted: a key signed it that is not trusted.
        SignatureWrong: it is not what was signed.
        ContentRefused: it is no manifest.
        StoreFailed: the store did not answer as one.
    """
    async with StoreClient(store) as store_client:
        document = await store_client.get(digest)
    return manifest.verified(document, digest, trusted)


async def read(store: Store, digest: str) -> Manifest:
    """The manifest of that digest, whoever signed it: to be shown. Who acts upon it takes `verified`.

    Raises:
        ContentMissing: the store has nothing under it.
        ContentRefused: what it has is no manifest.
        StoreFailed: the store did not answer as one.
    """
    found = (await read_each(store, [digest]))[digest]
    if isinstance(found, SatflowError):
        raise found
    return found


async def read_each(store: Store, digests: Iterable[str]) -> dict[str, Manifest | SatflowError]:
    """Several manifests at once: digest → the manifest, or what stood in its way."""
    wanted = list(dict.fromkeys(digests))
    found: dict[str, Manifest | SatflowError] = {digest: _known[digest] for digest in wanted if digest in _known}
    missing = [digest for digest in wanted if digest not in found]
    if missing:
        async with StoreClient(store) as store_client:
            got = await asyncio.gather(*(_read_or_error(store_client, digest) for digest in missing))
        found |= dict(zip(missing, got, strict=True))
    return found


async def _read_or_error(store_client: StoreClient, digest: str) -> Manifest | SatflowError:
    try:
        document = await store_client.get(digest)
        found = manifest.read(document, digest)
    except SatflowError as error:
        return error
    while len(_known) >= REMEMBERED:  # the one that came first goes first
        _known.pop(next(iter(_known)), None)
    _known[digest] = found
    return found
