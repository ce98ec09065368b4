"""The pull step: fetch a registered flow's content into the folder of a run."""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import tempfile
from pathlib import Path

from satflow_ext import endpoints, keys, scratch
from satflow_ext.errors import ContentRefused, SatflowError
from satflow_ext.keys import TrustedKeys
from satflow_ext.models import HookKind
from satflow_ext.runtime import from_git, loader
from satflow_ext.runtime.this_run import RUN_ID, deployment_name
from satflow_ext.settings import load_settings
from satflow_ext.versions import carried_files, envelope, manifest_store
from satflow_ext.versions import manifest as manifests
from satflow_ext.versions.envelope import OpenedContent
from satflow_ext.versions.manifest import Manifest
from satflow_ext.versions.packing_environment import PackingEnvironment
from satflow_ext.versions.store_client import StoreClient

log = logging.getLogger(__name__)


async def pull(store: str, manifest: str) -> dict[str, str]:
    """Fetch the flow of a deployment. Prefect calls this before a flow run, with the values that the deployment pins.

    Args:
        store: a store's name, which this machine's settings map to an address and a credential.
        manifest: digest of the manifest to fetch, which names the content.

    Returns:
        `directory`: the folder to run in. Its loader provides the flow, or a flow that raises the error. Outside of a flow run's
        own process, it provides a placeholder whose hooks call those of the flow in another process.
    """
    if RUN_ID not in os.environ:
        # A Prefect worker loads the flow to call the hooks of a crashed run. Nothing is unpickled in the worker.
        return {"directory": str(_placeholder_folder(await _read_hooks(store, manifest)))}
    folder = _make_folder()
    try:
        with scratch.report_disk_full(folder):
            await _fetch_content(store, manifest, folder)
            loader.write_loader(folder)
    except SatflowError as error:
        folder = _write_failure(folder, error)
    except Exception as error:  # an exception that leaves the pull step never reaches the run's log
        folder = _write_failure(
            folder, SatflowError(f"The flow content was not fetched: {type(error).__name__}: {error}.")
        )
    return {"directory": str(folder)}


@functools.cache
def _placeholder_folder(hooks: tuple[HookKind, ...]) -> Path:
    """Return one folder for all crashed runs with the same kinds of hooks: a Prefect worker may run for months."""
    folder = _make_folder()
    loader.write_placeholder_loader(folder, hooks)
    return folder


async def _read_hooks(store_name: str, digest: str) -> tuple[HookKind, ...]:
    """Read the kinds of hooks of a version; none if its manifest cannot be read, or is not trusted."""
    settings = load_settings()
    try:
        store = endpoints.find_store(store_name, settings, endpoints.read_record(settings))
        trusted = keys.read_trusted_keys(settings)
        return (await manifest_store.read_verified_manifest(store, digest, trusted)).hooks
    except SatflowError as error:
        log.warning("The hooks of a flow run are not called. %s", error)
        return ()


def _make_folder() -> Path:
    try:
        return scratch.make_scratch_folder(load_settings(), "run")
    except SatflowError:  # fetching raises it again, and then it reaches the run's log
        return Path(tempfile.mkdtemp(prefix="satflow-run-"))


def _write_failure(folder: Path, error: SatflowError) -> Path:
    """Write the loader of a flow that raises the error, in another folder if the disk is full, and return the folder."""
    for fetched in (loader.CONTENT_FILE, loader.MANIFEST_FILE):
        (folder / fetched).unlink(missing_ok=True)
    try:
        loader.write_failure_loader(folder, error)
    except OSError:
        folder = Path(tempfile.mkdtemp(prefix="satflow-run-"))
        loader.write_failure_loader(folder, error)
    return folder


async def _fetch_content(store_name: str, digest: str, folder: Path) -> None:
    settings = load_settings()
    store = endpoints.find_store(store_name, settings, endpoints.read_record(settings))
    async with StoreClient(store) as store_client:
        document, deployment = await asyncio.gather(store_client.get(digest), deployment_name())
        manifest = check_manifest(document, digest, deployment, keys.read_trusted_keys(settings))
        await store_client.get_file(manifest.content, folder / loader.CONTENT_FILE, limit=manifest.size)
        await carried_files.download_files(store_client, manifest.files, folder)
    if manifest.git:
        await from_git.check_out(manifest.git, folder)
    (folder / loader.MANIFEST_FILE).write_bytes(document)
    (folder / loader.STORE_FILE).write_text(store_name)


def check_manifest(document: bytes, digest: str, deployment: str, trusted: TrustedKeys) -> Manifest:
    """Verify that a trusted key signed the pinned manifest for the deployment, and parse it.

    Args:
        document: the bytes from the store.
        digest: the digest that the deployment pins.
        deployment: `flow/deployment`, from Prefect.
        trusted: the keys whose flows may run here.

    Raises:
        ContentRefused: it is another document, or one of another deployment. A subclass reports a problem with the signature.
    """
    manifest = manifests.parse_verified_manifest(document, digest, trusted)
    if manifest.full_name != deployment:
        raise ContentRefused(
            f"The deployment {deployment} pins a flow that was signed for {manifest.full_name}.",
            fix=f"Register {deployment} again, and check who can write to the Prefect API.",
        )
    return manifest


def check_content(
    manifest: Manifest, content: bytes, trusted: TrustedKeys, reader: PackingEnvironment
) -> OpenedContent:
    """Verify the content that a manifest pins, and that this reader can unpickle it.

    Raises:
        ContentRefused: it is another content. A subclass reports a problem with the signature.
        PythonMismatch: another Python version packed it.
        PackageMismatch: an incompatible version of a package packed it.
    """
    return envelope.open_content(content, manifest.expected_content, trusted, reader)
