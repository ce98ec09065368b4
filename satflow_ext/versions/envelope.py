r"""Flow content: an envelope around cloudpickle bytes.

    SATFLOW1\n | length of header (4 bytes, big endian) | header (JSON) | seal (96 bytes) | body (pickle)

The seal signs the header, and the header has the digest of the body. The manifest pins the digest of the whole envelope; it is
signed as well, and the deployment pins its digest. A reader checks in this order and only then unpickles: size, digest, signature
by a trusted key, deployment and version, Python. Only one length is parsed before the signature is checked.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from satflow_ext.errors import ContentRefused
from satflow_ext.keys import SEAL_SIZE, Signer, TrustedKeys
from satflow_ext.models import Digest
from satflow_ext.versions import packing_environment, strict_json
from satflow_ext.versions.packing_environment import PackingEnvironment

MAGIC_BYTES = b"SATFLOW1\n"
PURPOSE = b"satflow content 1\n"
"""The purpose in the signature of a content's header; no other document of SatFlow has the same one."""
LENGTH_FORMAT = struct.Struct(">I")
HEADER_START = len(MAGIC_BYTES) + LENGTH_FORMAT.size
CHUNK_SIZE = 1024 * 1024
HEADER_LIMIT = 16 * 1024


class EnvelopeHeader(BaseModel):
    """The header of a content, which is checked before its body.

    Args:
        format: version of this document format.
        sha256: digest of the body, and `size` in bytes.
        deployment: `flow/deployment` that it was packed for, and its `version`.
        made: the interpreter and packages that packed it.
        created: time when it was packed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    sha256: Digest
    size: int
    deployment: str
    version: int
    made: PackingEnvironment
    created: datetime


@dataclass(frozen=True)
class ExpectedContent:
    """The expected properties of a content, from its manifest: digest and size of the envelope, `flow/deployment`, version."""

    digest: str
    size: int
    deployment: str
    version: int


@dataclass(frozen=True)
class OpenedContent:
    """A content that may be unpickled. `differences` describes package versions that differ from those that packed it."""

    header: EnvelopeHeader
    body: memoryview
    differences: tuple[str, ...]


def write_envelope(body: Path, header: EnvelopeHeader, signer: Signer, content: Path) -> str:
    """Write the envelope of a body to `content` and return its digest, `sha256:…`."""
    encoded = header.model_dump_json().encode()
    start = MAGIC_BYTES + LENGTH_FORMAT.pack(len(encoded)) + encoded + signer.seal(PURPOSE, encoded)
    return write_document(start, body, content)


def write_document(start: bytes, body: Path, document: Path) -> str:
    """Write `start` and then the body to a new file, and return the file's digest, `sha256:…`."""
    digest = hashlib.sha256(start)
    with document.open("xb") as out, body.open("rb") as source:
        out.write(start)
        while chunk := source.read(CHUNK_SIZE):
            digest.update(chunk)
            out.write(chunk)
    return f"sha256:{digest.hexdigest()}"


def digest_of(path: Path) -> str:
    """Return the sha256 of a file, as `sha256:…`."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_SIZE):
            digest.update(chunk)
    return f"sha256:{digest.hexdigest()}"


def open_content(
    content: bytes, expected: ExpectedContent, trusted: TrustedKeys, reader: PackingEnvironment
) -> OpenedContent:
    """Open a content, after checking it against its manifest, the trusted keys, and the reader's Python and packages.

    Args:
        content: the whole envelope.
        expected: the expected properties, from its manifest.
        trusted: the keys whose flows may run on this machine.
        reader: the interpreter that will unpickle it.

    Raises:
        ContentRefused: it is another content, or was packed for another deployment or version.
        NotTrusted: it was signed by a key that is not trusted.
        SignatureWrong: it differs from the content that was signed.
        PythonMismatch: it was packed with another Python.
        PackageMismatch: it was packed with a package version that is too different to be read.
    """
    if len(content) != expected.size:
        raise ContentRefused(f"The flow content has {len(content)} bytes; its manifest states {expected.size}.")
    if bytes_digest(content) != expected.digest:
        raise ContentRefused(
            f"The flow content does not have the digest {expected.digest}: it was changed or truncated."
        )
    encoded, sealed, body = _split_content(memoryview(content))
    trusted.verify(PURPOSE, encoded, sealed, "The flow content")
    header = _parse_header(encoded)
    _check_body(header, body)
    if (header.deployment, header.version) != (expected.deployment, expected.version):
        raise ContentRefused(
            f"The flow content was packed for {header.deployment} version {header.version}, "
            f"not for {expected.deployment} version {expected.version}."
        )
    return OpenedContent(header, body, packing_environment.check_compatibility(header.made, reader))


def _split_content(content: memoryview) -> tuple[bytes, bytes, memoryview]:
    """Split a content into header, seal and body, by their positions alone."""
    if content[: len(MAGIC_BYTES)] != MAGIC_BYTES or len(content) < HEADER_START:
        raise ContentRefused("This is not a flow content: its first bytes are wrong.")
    (length,) = LENGTH_FORMAT.unpack(content[len(MAGIC_BYTES) : HEADER_START])
    end = HEADER_START + length
    if length > HEADER_LIMIT or len(content) < end + SEAL_SIZE:
        raise ContentRefused(f"The flow content's header cannot have {length} bytes.")
    return bytes(content[HEADER_START:end]), bytes(content[end : end + SEAL_SIZE]), content[end + SEAL_SIZE :]


def _parse_header(encoded: bytes) -> EnvelopeHeader:
    try:
        return strict_json.parse_model(EnvelopeHeader, encoded, limit=HEADER_LIMIT)
    except ValueError as error:
        raise ContentRefused(f"The flow content's header cannot be read: {error}.", fix=strict_json.NEWER_FIX) from None


def _check_body(header: EnvelopeHeader, body: memoryview) -> None:
    if len(body) != header.size:
        raise ContentRefused(f"The flow content's body has {len(body)} bytes; its header states {header.size}.")
    if bytes_digest(body) != header.sha256:
        raise ContentRefused("The flow content's body does not have the digest in its signed header.")


def bytes_digest(data: bytes | memoryview) -> str:
    """Return the sha256 of bytes, as `sha256:…`."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
