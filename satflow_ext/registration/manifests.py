"""Manifests as stores have them: written once, read by digest, remembered because they never change."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

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
    if digest not in _known:
        async with StoreClient(store) as store_client:
            document = await store_client.get(digest)
        if len(_known) >= REMEMBERED:
            _known.clear()
        _known[digest] = manifest.read(document, digest)
    return _known[digest]


async def read_each(wanted: Mapping[str, Store]) -> dict[str, Manifest | SatflowError]:
    """Several manifests at once: digest → the manifest, or what stood in its way."""
    found = await asyncio.gather(*(_read_or_error(store, digest) for digest, store in wanted.items()))
    return dict(zip(wanted, found, strict=True))


async def _read_or_error(store: Store, digest: str) -> Manifest | SatflowError:
    try:
        return await read(store, digest)
    except SatflowError as error:
        return error
