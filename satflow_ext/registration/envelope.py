r"""Flow content: an envelope around cloudpickle bytes.

    SATFLOW1\n | length of header (4 bytes, big endian) | header (JSON) | seal (96 bytes) | body (pickle)

The seal signs the header, and the header has the body's digest. The digest of all of it is pinned by the manifest, which is
signed as well, and whose digest the deployment pins. A reader checks in this order and only then unpickles: size, digest,
signature by a trusted key, deployment and version, Python. Before the signature nothing is parsed but one length.
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
from satflow_ext.registration import packing_environment, strict_json
from satflow_ext.registration.packing_environment import Maker

MARK = b"SATFLOW1\n"
PURPOSE = b"satflow content 1\n"
"""What a content's header is signed for; no other document of SatFlow is signed for the same."""
LENGTH = struct.Struct(">I")
START = len(MARK) + LENGTH.size
CHUNK = 1024 * 1024
HEADER_LIMIT = 16 * 1024


class Header(BaseModel):
    """What must fit before the body is looked at.

    Args:
        format: of this document.
        sha256: digest of the body, and `size` in bytes.
        deployment: `flow/deployment` for which it was made, and its `version`.
        made: by which interpreter and packages.
        created: when.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    sha256: Digest
    size: int
    deployment: str
    version: int
    made: Maker
    created: datetime


@dataclass(frozen=True)
class Pinned:
    """What a content must be, from its manifest: digest and bytes of all of it, `flow/deployment` and version."""

    digest: str
    size: int
    deployment: str
    version: int


@dataclass(frozen=True)
class Opened:
    """A content that may be unpickled. `differences` tells of package versions that are not those it was made with."""

    header: Header
    body: memoryview
    differences: tuple[str, ...]


def seal(body: Path, header: Header, signer: Signer, content: Path) -> str:
    """Write the envelope of a body to `content` and give its digest, `sha256:…`."""
    encoded = header.model_dump_json().encode()
    start = MARK + LENGTH.pack(len(encoded)) + encoded + signer.seal(PURPOSE, encoded)
    digest = hashlib.sha256(start)
    with content.open("xb") as out, body.open("rb") as source:
        out.write(start)
        while chunk := source.read(CHUNK):
            digest.update(chunk)
            out.write(chunk)
    return f"sha256:{digest.hexdigest()}"


def digest_of(path: Path) -> str:
    """The sha256 of a file, as `sha256:…`."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return f"sha256:{digest.hexdigest()}"


def opened(content: bytes, pinned: Pinned, trusted: TrustedKeys, reader: Maker) -> Opened:
    """The body of a content that is what its manifest says, that a trusted key signed, and that the reader can read.

    Args:
        content: all of it.
        pinned: what its manifest says of it.
        trusted: whose flows may run here.
        reader: the interpreter that is about to unpickle it.

    Raises:
        ContentRefused: it is another content, or made for another deployment or version.
        NotTrusted: a key signed it that is not trusted.
        SignatureWrong: it is not what was signed.
        PythonMismatch: another Python made it.
        PackageMismatch: so different a package made it that this one cannot read it.
    """
    if len(content) != pinned.size:
        raise ContentRefused(f"The flow content has {len(content)} bytes; its manifest says {pinned.size}.")
    if _digest(content) != pinned.digest:
        raise ContentRefused(f"The flow content is not {pinned.digest}: it was changed or cut on its way.")
    encoded, sealed, body = _parts(memoryview(content))
    trusted.check(PURPOSE, encoded, sealed, "The flow content")
    header = _header(encoded)
    _check_body(header, body)
    if (header.deployment, header.version) != (pinned.deployment, pinned.version):
        raise ContentRefused(
            f"The flow content was made for {header.deployment} version {header.version}, "
            f"not for {pinned.deployment} version {pinned.version}."
        )
    return Opened(header, body, packing_environment.compare(header.made, reader))


def _parts(content: memoryview) -> tuple[bytes, bytes, memoryview]:
    """Header, seal and body, by their places alone."""
    if content[: len(MARK)] != MARK or len(content) < START:
        raise ContentRefused("This is no flow content: its first bytes are not those of one.")
    (length,) = LENGTH.unpack(content[len(MARK) : START])
    end = START + length
    if length > HEADER_LIMIT or len(content) < end + SEAL_SIZE:
        raise ContentRefused(f"The flow content's header cannot have {length} bytes.")
    return bytes(content[START:end]), bytes(content[end : end + SEAL_SIZE]), content[end + SEAL_SIZE :]


def _header(encoded: bytes) -> Header:
    try:
        return strict_json.read(Header, encoded, limit=HEADER_LIMIT)
    except ValueError as error:
        raise ContentRefused(f"The flow content's header cannot be read: {error}.", fix=strict_json.NEWER) from None


def _check_body(header: Header, body: memoryview) -> None:
    if len(body) != header.size:
        raise ContentRefused(f"The flow content's body has {len(body)} bytes; its header says {header.size}.")
    if _digest(body) != header.sha256:
        raise ContentRefused("The flow content's body is not the one that its header was signed with.")


def _digest(data: bytes | memoryview) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
