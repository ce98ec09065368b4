"""Data files that travel with a flow: each is a content of its own in the store, kept once however many versions have it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from satflow_ext.errors import ContentRefused, StoreFailed
from satflow_ext.models import CarriedFile, PackedFlow
from satflow_ext.registration.store_client import StoreClient


async def put(store_client: StoreClient, packed: PackedFlow) -> None:
    """Put the data files of a packed flow into a store, except those that it has.

    Raises:
        StoreFailed: one was not kept.
    """
    for file, copy in zip(packed.files, packed.copies(), strict=True):
        try:
            await store_client.verify(file.digest, file.size)
        except (StoreFailed, ContentRefused):
            await store_client.put_file(file.digest, copy)


async def verify(store_client: StoreClient, files: Iterable[CarriedFile]) -> None:
    """See that the store has all of them.

    Raises:
        ContentMissing: it has not.
        StoreFailed: it did not answer as a store.
    """
    for file in files:
        await store_client.verify(file.digest, file.size)


async def get(store_client: StoreClient, files: Iterable[CarriedFile], folder: Path) -> None:
    """Lay data files into a folder that holds none yet, each at its place.

    A place never leads out of the folder (`models.carried_path`), and nothing that is there is written over.

    Raises:
        ContentMissing: the store has nothing under a digest.
        ContentRefused: what it has is something else, or two files claim one place.
        StoreFailed: it did not answer as a store.
    """
    for file in files:
        place = folder / file.path
        try:
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            await store_client.get_file(file.digest, place, limit=file.size)
        except (FileExistsError, NotADirectoryError):
            raise ContentRefused(f"The place {file.path} of a data file is taken by another one.") from None
