"""What a flow run may act upon, decided from bytes alone: which manifest, and then which content."""

from __future__ import annotations

from satflow_ext.errors import ContentRefused
from satflow_ext.keys import TrustedKeys
from satflow_ext.registration import envelope
from satflow_ext.registration import manifest as manifests
from satflow_ext.registration.envelope import Opened
from satflow_ext.registration.manifest import Manifest
from satflow_ext.registration.packing_environment import Maker


def check_manifest(document: bytes, digest: str, deployment: str, trusted: TrustedKeys) -> Manifest:
    """The manifest that a deployment pins, if a trusted key signed it for that deployment.

    Args:
        document: what the store gave.
        digest: what the deployment pins.
        deployment: `flow/deployment`, as Prefect has it.
        trusted: whose flows may run here.

    Raises:
        ContentRefused: it is another document, or one of another deployment; the subclass says who signed it.
    """
    manifest = manifests.verified(document, digest, trusted)
    if manifest.full_name != deployment:
        raise ContentRefused(
            f"The deployment {deployment} pins a flow that was signed for {manifest.full_name}.",
            fix=f"Register {deployment} again, and see who can write to the Prefect API.",
        )
    return manifest


def check_content(manifest: Manifest, content: bytes, trusted: TrustedKeys, reader: Maker) -> Opened:
    """The content that a manifest pins, if it may be unpickled by this reader.

    Raises:
        ContentRefused: it is another content; the subclass says who signed it.
        PythonMismatch: another Python made it.
        PackageMismatch: so different a package made it that it cannot be read.
    """
    return envelope.opened(content, manifest.pinned, trusted, reader)
