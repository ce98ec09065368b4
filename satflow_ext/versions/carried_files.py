"""Data files that are packed with a flow: each is a separate content in the store, which all versions with that file share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from satflow_ext.errors import ContentRefused, StoreFailed
from satflow_ext.models import CarriedFile
from satflow_ext.versions.store_client import StoreClient


async def upload_files(store_client: StoreClient, files: Sequence[CarriedFile], copies: Sequence[Path]) -> None:
    """Upload data files to a store, except those that it already has. `copies` are the files on this machine, in their order.

    Raises:
        StoreFailed: a file was not stored.
    """
    for file, copy in zip(files, copies, strict=True):
        try:
            await store_client.verify(file.digest, file.size)
        except (StoreFailed, ContentRefused):
            await store_client.put_file(file.digest, copy)


async def verify_files(store_client: StoreClient, files: Iterable[CarriedFile]) -> None:
    """Check that the store has all of the files.

    Raises:
        ContentMissing: a file is missing.
        StoreFailed: the request to the store failed.
    """
    for file in files:
        await store_client.verify(file.digest, file.size)


async def download_files(store_client: StoreClient, files: Iterable[CarriedFile], folder: Path) -> None:
    """Download data files into a folder that has none yet, each to its path.

    A path never leads out of the folder (`models.check_carried_path`), and existing files are never overwritten.

    Raises:
        ContentMissing: the store has no content with one of the digests.
        ContentRefused: the store returned other data, or two files have the same path.
        StoreFailed: the request to the store failed.
    """
    for file in files:
        place = folder / file.path
        try:
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            await store_client.get_file(file.digest, place, limit=file.size)
        except (FileExistsError, NotADirectoryError):
            raise ContentRefused(f"The path {file.path} of a data file conflicts with another data file.") from None
