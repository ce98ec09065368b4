"""Verification of the manifest and content of a flow run, without I/O."""

from __future__ import annotations

from satflow_ext.errors import ContentRefused
from satflow_ext.keys import TrustedKeys
from satflow_ext.registration import envelope
from satflow_ext.registration import manifest as manifests
from satflow_ext.registration.envelope import OpenedContent
from satflow_ext.registration.manifest import Manifest
from satflow_ext.registration.packing_environment import PackingEnvironment


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
