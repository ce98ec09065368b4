"""Upload a version to the store: its content in its envelope, then the manifest that references it."""

from __future__ import annotations

import asyncio
import functools
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from satflow_ext import scratch
from satflow_ext.deployments import queries
from satflow_ext.deployments.journal import DeploymentWrite
from satflow_ext.endpoints import Endpoints
from satflow_ext.errors import SatflowError
from satflow_ext.keys import Signer
from satflow_ext.models import Environment
from satflow_ext.versions import envelope, manifest_store, packing_environment
from satflow_ext.versions.manifest import MAX_EARLIER, Manifest
from satflow_ext.versions.pin import Pin, pin_of
from satflow_ext.versions.store_client import StoreClient

if TYPE_CHECKING:
    from prefect.client.schemas.responses import DeploymentResponse


@dataclass(frozen=True)
class StoredContent:
    """A content in the store: digest and size in bytes of the whole envelope."""

    content: str
    size: int


@dataclass(frozen=True)
class ChainPosition:
    """A version's position in its chain: its number, and the manifests before it, nearest first."""

    version: int
    earlier: tuple[str, ...]


async def upload_content(
    body: Path, environment: Environment, full_name: str, version: int, endpoints: Endpoints, signer: Signer
) -> StoredContent:
    """Write a pickle into its signed envelope and upload it to the store.

    Args:
        body: the pickle's file, which is only read.
        environment: the environment that packed it.
        full_name: `flow/deployment`.
        version: the version that it is for.
        endpoints: the store.
        signer: the key that signs it.

    Raises:
        StoreFailed: the content was not stored.
        DiskFailed: a disk of this machine failed to write the envelope or to read the pickle.
    """
    # Next to the pickle file: the process that created its folder deletes it, even if this one was killed or the disk fails.
    with (
        scratch.report_disk_errors(body.parent),
        TemporaryDirectory(dir=body.parent, ignore_cleanup_errors=True) as folder,
    ):
        content = Path(folder) / "content"
        made = functools.partial(_build_header, body, environment, full_name, version)
        digest = await asyncio.to_thread(lambda: envelope.write_envelope(body, made(), signer, content))
        async with StoreClient(endpoints.store) as store_client:
            await store_client.put_file(digest, content)
        return StoredContent(digest, content.stat().st_size)


async def upload_manifest(manifest: Manifest, endpoints: Endpoints, signer: Signer) -> Pin:
    """Sign a manifest, upload it to the store and return its pin.

    Raises:
        StoreFailed: the manifest was not stored.
    """
    return Pin(
        store=endpoints.store.name, manifest=await manifest_store.store_manifest(endpoints.store, manifest, signer)
    )


def next_position(
    row: DeploymentResponse | None, found: Manifest | SatflowError | None, written: DeploymentWrite | None
) -> ChainPosition:
    """Return the position after the live version: its number in the manifest, or in Prefect if the manifest is lost, plus one.

    Args:
        row: the deployment's row in Prefect.
        found: its manifest, or the error that prevented reading it.
        written: the last write of this machine. A number is used only once, even if Prefect no longer has that row.
    """
    pin = pin_of(row) if row else None
    if isinstance(found, Manifest) and pin:
        place = ChainPosition(found.version + 1, (pin.manifest, *found.earlier)[:MAX_EARLIER])
    else:
        place = ChainPosition(
            queries.version_number(row.version) + 1 if row and pin else 1, (pin.manifest,) if pin else ()
        )
    if written is None or place.version > written.version:
        return place
    return ChainPosition(written.version + 1, (written.manifest,))


def current_time() -> datetime:
    """Return the current time in UTC, as the creation time of a version."""
    return datetime.now(timezone.utc)


def _build_header(body: Path, environment: Environment, full_name: str, version: int) -> envelope.EnvelopeHeader:
    return envelope.EnvelopeHeader(
        sha256=envelope.digest_of(body),
        size=body.stat().st_size,
        deployment=full_name,
        version=version,
        made=packing_environment.from_environment(environment),
        created=current_time(),
    )
