r"""The manifest: a small JSON document that fixes one registered version.

    canonical JSON \n seal, in base64 \n

It is stored under its own sha256, and the deployment in Prefect pins that digest. Any client with write access to the Prefect API
could pin another document, so the manifest is signed: the seal covers the bytes of the first line, and none of them is parsed
before the seal is verified. Canonical JSON (sorted keys, no white space, UTF-8) has one line.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from satflow_ext.errors import ContentRefused
from satflow_ext.keys import SEAL_SIZE, Signer, TrustedKeys
from satflow_ext.models import (
    CarriedFile,
    Digest,
    Environment,
    EnvironmentPolicy,
    ExecutorChoice,
    GitFile,
    HookKind,
    JsonObject,
    Registration,
    SecretName,
    Source,
)
from satflow_ext.settings import Settings, SizeSettings
from satflow_ext.versions import strict_json
from satflow_ext.versions.envelope import ExpectedContent

PURPOSE = b"satflow manifest 1\n"
"""The purpose in the signature of a manifest; no other document of SatFlow has the same one."""
SEAL_LINE = SEAL_SIZE // 3 * 4
"""Characters of the seal in base64."""
MAX_SIZE = 16 * 1024 * 1024
MAX_EARLIER = 16
"""Maximum number of previous versions that a manifest references."""


class Manifest(BaseModel):
    """One version of a deployment.

    Args:
        format: version of this document format.
        flow_name: the flow's name in Prefect.
        variable: the flow's name in the notebook.
        deployment: the deployment's name, without the flow's.
        version: 1 for the first.
        content: digest of the flow content, and `size` in bytes of the whole envelope.
        fingerprint: fingerprint of the live flow, with large data sampled; the sidebar compares it.
        exact: fingerprint with all data hashed in full; it decides whether a flow is unchanged.
        parameter_schema: with defaults; Prefect receives it without them.
        chosen: all choices, with every option and default filled in. Prefect has the live values.
        worker_sizes: definitions of the worker sizes that the executor's options name, on the machine that registered the flow.
            Where the flow runs, the settings may define a size differently or not at all.
        job_variables: the chosen infrastructure, as job variables of the work pool.
        environment: the interpreter that packed the flow, and its installed packages.
        uses: names of the distributions that the flow refers to.
        source: the notebook and its cells.
        git: the file that runs load the flow from; None if the content has the flow itself.
        files: data files that are packed with the flow; each is a separate content in the store.
        hooks: kinds of hooks that the flow has and that a Prefect worker calls.
        registered_by: the user's name on the machine where it was registered.
        registered_at: time of registration.
        restores: number of the version that a rollback restored as this one.
        earlier: digests of the manifests of the previous versions, nearest first, at most `MAX_EARLIER`. A lost manifest does not
            break this chain, and it can be followed in long steps.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    flow_name: str
    variable: str
    deployment: str
    version: int
    content: Digest
    size: int
    fingerprint: str
    exact: str
    parameter_schema: JsonObject
    chosen: Registration
    worker_sizes: dict[str, SizeSettings] = {}
    job_variables: JsonObject = {}
    environment: Environment
    uses: tuple[str, ...]
    source: Source
    git: GitFile | None = None
    files: tuple[CarriedFile, ...] = ()
    hooks: tuple[HookKind, ...] = ()
    registered_by: str
    registered_at: datetime
    restores: int | None
    earlier: tuple[Digest, ...]

    @property
    def executor(self) -> ExecutorChoice:
        """The executor that runs the tasks."""
        return self.chosen.executor

    @property
    def environment_policy(self) -> EnvironmentPolicy:
        """The policy for runs whose environment differs."""
        return self.chosen.environment

    @property
    def secrets(self) -> tuple[SecretName, ...]:
        """Names of the credentials that a run needs."""
        return self.chosen.secrets

    @property
    def full_name(self) -> str:
        """`flow/deployment`, as Prefect's command line writes it."""
        return f"{self.flow_name}/{self.deployment}"

    @property
    def expected_content(self) -> ExpectedContent:
        """The expected properties of the flow content."""
        return ExpectedContent(self.content, self.size, self.full_name, self.version)

    def with_registered_sizes(self, settings: Settings) -> Settings:
        """Return the settings with the worker sizes of the time of registration, regardless of this machine's current ones."""
        return settings.model_copy(update={"worker_sizes": {**settings.worker_sizes, **self.worker_sizes}})

    def encode(self, signer: Signer) -> bytes:
        """Sign the manifest and return it as the document for a store."""
        line = canonical_json(self.model_dump(mode="json"))
        return line + b"\n" + base64.b64encode(signer.seal(PURPOSE, line)) + b"\n"


def canonical_json(value: object) -> bytes:
    """Return the JSON of a value, with one spelling for equal values."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest_of(document: bytes) -> str:
    """Return the sha256 of a document, as `sha256:…`."""
    return f"sha256:{hashlib.sha256(document).hexdigest()}"


def parse_verified_manifest(document: bytes, digest: str, trusted: TrustedKeys) -> Manifest:
    """Parse the document that the store returned for a digest, after verifying that a trusted key signed it.

    Raises:
        NotTrusted: it was signed by a key that is not trusted.
        SignatureWrong: it differs from the document that was signed.
        ContentRefused: it does not have that digest, or this version of SatFlow does not support it.
    """
    line, sealed = _split_document(document, digest)
    trusted.verify(PURPOSE, line, sealed, "The manifest")
    return _parse_line(line, digest)


def parse_manifest(document: bytes, digest: str) -> Manifest:
    """Parse the document that the store returned for a digest, regardless of its signature: for display only.

    Raises:
        ContentRefused: it does not have that digest, or this version of SatFlow does not support it.
    """
    return _parse_line(_split_document(document, digest)[0], digest)


def _split_document(document: bytes, digest: str) -> tuple[bytes, bytes]:
    """Split a document into JSON and seal, by their positions alone."""
    if digest_of(document) != digest:
        raise ContentRefused(f"The store returned another document for manifest {digest}.")
    end = len(document) - SEAL_LINE - 2
    if end < 0 or document[end : end + 1] != b"\n" or document[-1:] != b"\n":
        raise ContentRefused(f"{digest} is not a signed manifest.", fix="Register the flow again.")
    try:
        return document[:end], base64.b64decode(document[end + 1 : -1], validate=True)
    except binascii.Error:
        raise ContentRefused(f"The seal of manifest {digest} cannot be read.", fix="Register the flow again.") from None


def _parse_line(line: bytes, digest: str) -> Manifest:
    try:
        return strict_json.parse_model(Manifest, line, limit=MAX_SIZE)
    except ValueError as error:
        raise ContentRefused(f"Manifest {digest} cannot be read: {error}.", fix=strict_json.NEWER_FIX) from None
