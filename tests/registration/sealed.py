"""Contents and manifests that are sealed in memory, for tests of who may read them."""

from __future__ import annotations

import hashlib
from datetime import datetime, timezone

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from satflow_ext.keys import Signer, TrustedKeys
from satflow_ext.models import Environment, Registration, Source
from satflow_ext.versions import envelope, packing_environment
from satflow_ext.versions.envelope import EnvelopeHeader, ExpectedContent
from satflow_ext.versions.manifest import Manifest

HERE = packing_environment.current_environment()
NOW = datetime(2026, 11, 21, tzinfo=timezone.utc)


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def signer() -> Signer:
    return Signer(Ed25519PrivateKey.generate())


def trusting(*signers: Signer) -> TrustedKeys:
    return TrustedKeys(each.public_key for each in signers)


def header(body: bytes, **changes) -> EnvelopeHeader:
    usual = {"deployment": "etl/nightly", "version": 3, "made": HERE, "created": NOW}
    return EnvelopeHeader(**{"sha256": digest(body), "size": len(body), **usual, **changes})


def content(by: Signer, body: bytes, **changes) -> bytes:
    """A content as `envelope.seal` writes it, with other things in its header."""
    return framed(by, header(body, **changes).model_dump_json().encode(), body)


def framed(by: Signer, encoded: bytes, body: bytes) -> bytes:
    """The same from any header."""
    seal = by.seal(envelope.PURPOSE, encoded)
    return envelope.MAGIC_BYTES + envelope.LENGTH_FORMAT.pack(len(encoded)) + encoded + seal + body


def pinned(whole: bytes, **changes) -> ExpectedContent:
    usual = {"digest": digest(whole), "size": len(whole), "deployment": "etl/nightly", "version": 3}
    return ExpectedContent(**{**usual, **changes})


def manifest(whole: bytes, **changes) -> Manifest:
    usual = {
        "flow_name": "etl",
        "variable": "etl",
        "deployment": "nightly",
        "version": 3,
        "content": digest(whole),
        "size": len(whole),
        "fingerprint": "f",
        "exact": "e",
        "parameter_schema": {},
        "chosen": Registration(name="nightly"),
        "environment": Environment(
            python=HERE.python,
            implementation=HERE.implementation,
            magic=HERE.magic,
            executable="python",
            distributions=(),
        ),
        "uses": (),
        "source": Source(notebook=None, commit=None, cells=(), files=()),
        "files": (),
        "registered_by": "anna",
        "registered_at": NOW,
        "restores": None,
        "earlier": (),
    }
    return Manifest(**{**usual, **changes})
