r"""The manifest: a small JSON document that fixes one registered version.

    canonical JSON \n seal, in base64 \n

It is kept in the store under its own sha256, and the deployment in Prefect pins that digest. Whoever can write to the Prefect
API could pin another document, so the manifest is signed: the seal is over the bytes of the first line, and nothing of them is
parsed before it was checked. Canonical JSON (sorted keys, no white space, UTF-8) has one line.
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
    JsonObject,
    Registration,
    SecretName,
    Source,
)
from satflow_ext.registration import strict_json
from satflow_ext.registration.envelope import Pinned
from satflow_ext.settings import Settings, SizeSettings

PURPOSE = b"satflow manifest 1\n"
"""What a manifest is signed for; no other document of SatFlow is signed for the same."""
SEAL_LINE = SEAL_SIZE // 3 * 4
"""Characters of the seal in base64."""
LIMIT = 16 * 1024 * 1024
REACH = 16
"""Versions that a manifest knows before itself."""


class Manifest(BaseModel):
    """One version of a deployment.

    Args:
        format: of this document.
        flow_name: the flow's name in Prefect.
        variable: the flow's name in the notebook.
        deployment: the deployment's name, without the flow's.
        version: 1 for the first.
        content: digest of the flow content, and `size` in bytes of all of it.
        fingerprint: of the live flow, large data sampled; what the sidebar compares.
        exact: fingerprint with all data hashed in full; what "unchanged" means.
        parameter_schema: with defaults; Prefect gets it without.
        chosen: everything that was decided: every option and default filled in. Prefect says what of it is live.
        worker_sizes: what the sizes that the executor's options name meant on the machine that registered; where the flow runs,
            another table may be in force, or none of that name.
        job_variables: what the infrastructure that was chosen meant in the words of the work pool.
        environment: the interpreter that packed the flow, and what was installed for it.
        uses: names of the distributions that the flow refers to.
        source: the notebook and its cells.
        git: the file that runs load the flow from; None where the content is the flow.
        files: data files that travel with the flow; each is a content of its own in the store.
        registered_by: the user's name on the machine where it was registered.
        registered_at: when.
        restores: number of the version that a rollback brought back with this one.
        earlier: digests of the manifests of the versions before this one, nearest first, at most `REACH`: a chain that a lost
            manifest does not break, and that is gone down in long steps.
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
    registered_by: str
    registered_at: datetime
    restores: int | None
    earlier: tuple[Digest, ...]

    @property
    def executor(self) -> ExecutorChoice:
        """How tasks run."""
        return self.chosen.executor

    @property
    def environment_policy(self) -> EnvironmentPolicy:
        """What happens where a run's environment is another one."""
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
    def pinned(self) -> Pinned:
        """What the flow content must be."""
        return Pinned(self.content, self.size, self.full_name, self.version)

    def sized(self, settings: Settings) -> Settings:
        """The settings with worker sizes as they were when it was registered, whatever this machine's table says by now."""
        return settings.model_copy(update={"worker_sizes": {**settings.worker_sizes, **self.worker_sizes}})

    def encode(self, signer: Signer) -> bytes:
        """The document that is kept in a store."""
        line = canonical(self.model_dump(mode="json"))
        return line + b"\n" + base64.b64encode(signer.seal(PURPOSE, line)) + b"\n"


def canonical(value: object) -> bytes:
    """JSON with one spelling for equal values."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest_of(document: bytes) -> str:
    """The sha256 of a document, as `sha256:…`."""
    return f"sha256:{hashlib.sha256(document).hexdigest()}"


def verified(document: bytes, digest: str, trusted: TrustedKeys) -> Manifest:
    """The manifest that the store gave for a digest, if whoever signed it may run code here.

    Raises:
        NotTrusted: a key signed it that is not trusted.
        SignatureWrong: it is not what was signed.
        ContentRefused: it is not the document of that digest, or none that this version understands.
    """
    line, sealed = _lines(document, digest)
    trusted.check(PURPOSE, line, sealed, "The manifest")
    return _read(line, digest)


def read(document: bytes, digest: str) -> Manifest:
    """The manifest that the store gave for a digest, whoever signed it: to be shown, and not to be acted upon.

    Raises:
        ContentRefused: it is not the document of that digest, or none that this version understands.
    """
    return _read(_lines(document, digest)[0], digest)


def _lines(document: bytes, digest: str) -> tuple[bytes, bytes]:
    """The JSON and the seal, by their places alone."""
    if digest_of(document) != digest:
        raise ContentRefused(f"The store gave another document for manifest {digest}.")
    end = len(document) - SEAL_LINE - 2
    if end < 0 or document[end : end + 1] != b"\n" or document[-1:] != b"\n":
        raise ContentRefused(f"{digest} is no manifest, or not a signed one.", fix="Register the flow again.")
    try:
        return document[:end], base64.b64decode(document[end + 1 : -1], validate=True)
    except binascii.Error:
        raise ContentRefused(f"The seal of manifest {digest} cannot be read.", fix="Register the flow again.") from None


def _read(line: bytes, digest: str) -> Manifest:
    try:
        return strict_json.read(Manifest, line, limit=LIMIT)
    except ValueError as error:
        raise ContentRefused(f"Manifest {digest} cannot be read here: {error}.", fix=strict_json.NEWER) from None
