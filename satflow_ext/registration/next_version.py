"""The next version of a deployment: its content and its manifest go to the store, both signed; then the deployment pins it.

Until the last step is complete, the deployment runs its previous version.
"""

from __future__ import annotations

import asyncio
import functools
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from satflow_ext import scratch
from satflow_ext.deployments import publish, queries
from satflow_ext.deployments.drift import MergedChoices, find_drift, merge_choices
from satflow_ext.deployments.journal import Journal
from satflow_ext.deployments.rows import find_path_changes
from satflow_ext.deployments.state import ChainPosition, DeploymentState
from satflow_ext.endpoints import Endpoints
from satflow_ext.keys import Keyring, Signer, user_name
from satflow_ext.models import Change, Environment, Registered
from satflow_ext.prefect_api import PrefectClient
from satflow_ext.prefect_rows import DeploymentRow
from satflow_ext.registration import prewarm_request
from satflow_ext.settings import Settings
from satflow_ext.versions import carried_files, envelope, manifest_store, packing_environment
from satflow_ext.versions.manifest import Manifest
from satflow_ext.versions.pin import Pin, pin_of
from satflow_ext.versions.store_client import StoreClient

Outcome = Literal["created", "changed", "unchanged", "restored"]


@dataclass(frozen=True)
class StoredContent:
    """A content in the store: digest and size in bytes of the whole envelope."""

    content: str
    size: int


@dataclass(frozen=True)
class VersionUpload:
    """The files of this machine from which a version is uploaded; they are only read.

    Args:
        body: the pickle.
        copies: the copies of the manifest's data files, in their order; none if the store has all of them.
    """

    body: Path
    copies: tuple[Path, ...] = ()


async def publish_next_version(
    client: PrefectClient,
    draft: Manifest,
    upload: VersionUpload,
    state: DeploymentState,
    merged: MergedChoices,
    endpoints: Endpoints,
    settings: Settings,
) -> Registered:
    """Upload data files, content and manifest of the next version, then make the deployment pin it. The caller holds its lock.

    Args:
        client: an open Prefect client.
        draft: the manifest of the version, except for its position and its content.
        upload: the files to upload.
        state: the deployment as it is now.
        merged: the values that are written to Prefect.
        endpoints: the Prefect API and the store.
        settings: the folders of the journal, and of the key that signs content and manifest.

    Raises:
        StoreFailed: the content was not stored; the deployment is unchanged.
        PrefectFailed: the deployment was not written; the previous version is unchanged.
        DeploymentContested: another registration was made at the same moment, and its version is the one that runs.
        DiskFailed: a disk of this machine failed.
    """
    position = state.next_position
    signer = await asyncio.to_thread(Keyring(settings).get_signer)
    await upload_files(draft, upload, endpoints)
    stored = await upload_content(upload.body, draft.environment, draft.full_name, position.version, endpoints, signer)
    manifest = complete_draft(draft, position, stored)
    pin = await upload_manifest(manifest, endpoints, signer)
    row = await publish.publish_version(client, manifest, pin, merged, state.row, endpoints, Journal(settings))
    await asyncio.to_thread(prewarm_request.request_prewarming, manifest, endpoints, settings)
    return await build_result(row, manifest, "changed" if state.row else "created", merged.kept, endpoints)


def complete_draft(draft: Manifest, position: ChainPosition, stored: StoredContent) -> Manifest:
    """Return the manifest of a version that is made now."""
    position_and_content = {
        "version": position.version,
        "earlier": position.earlier,
        "content": stored.content,
        "size": stored.size,
        "registered_by": user_name(),
        "registered_at": _current_time(),
    }
    return draft.model_copy(update=position_and_content)


async def reuse_version(
    client: PrefectClient,
    row: DeploymentRow,
    manifest: Manifest,
    endpoints: Endpoints,
    settings: Settings,
    *,
    overwrite: bool,
) -> Registered:
    """Return the existing version; with `overwrite`, restore the registered values of everything that was changed in Prefect.

    Raises:
        PrefectFailed: Prefect does not have the row that was written.
    """
    drifted = find_drift(manifest, row) + find_path_changes(manifest, row, local=endpoints.local)
    pin = pin_of(row)
    if not overwrite or not drifted or pin is None:
        return await build_result(row, manifest, "unchanged", drifted, endpoints)
    settled = merge_choices(manifest, manifest, row, overwrite=True)
    written = await publish.publish_version(client, manifest, pin, settled, row, endpoints, Journal(settings))
    return await build_result(written, manifest, "restored", (), endpoints)


async def build_result(
    row: DeploymentRow, manifest: Manifest, outcome: Outcome, preserved: tuple[Change, ...], endpoints: Endpoints
) -> Registered:
    """Build the result of a registration. `preserved` are the changes that were made in Prefect and are preserved."""
    pin = pin_of(row)
    assert pin is not None
    described = queries.describe_deployment(row, manifest.flow_name, manifest, local=endpoints.local)
    return Registered(
        deployment=await queries.add_next_runs(described),
        outcome=outcome,
        content=manifest.content,
        content_size=manifest.size,
        manifest=pin.manifest,
        files=manifest.files,
        kept=preserved,
        warnings=(),
    )


async def upload_files(draft: Manifest, upload: VersionUpload, endpoints: Endpoints) -> None:
    """Upload the data files, which the manifest references.

    Raises:
        StoreFailed: a file was not stored.
        DiskFailed: a disk of this machine failed to read a file.
    """
    if upload.copies:
        with scratch.report_disk_errors(upload.body.parent):
            async with StoreClient(endpoints.store) as store_client:
                await carried_files.upload_files(store_client, draft.files, upload.copies)


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


def _current_time() -> datetime:
    """Return the current time in UTC, as the creation time of a version."""
    return datetime.now(timezone.utc)


def _build_header(body: Path, environment: Environment, full_name: str, version: int) -> envelope.EnvelopeHeader:
    return envelope.EnvelopeHeader(
        sha256=envelope.digest_of(body),
        size=body.stat().st_size,
        deployment=full_name,
        version=version,
        made=packing_environment.from_environment(environment),
        created=_current_time(),
    )
