r"""Flow content: an envelope around cloudpickle bytes.

    SATFLOW1\n | length of header (4 bytes, big endian) | header (JSON) | body (pickle)

The content's digest covers all of it and is pinned by the manifest, whose digest the deployment pins. A reader checks in this
order and only then unpickles: size, digest, format, deployment and version, Python. A pickle with code objects read by another
Python is no exception but a crash (3.11 and 3.12: SIGSEGV), so versions are compared and never tried.
"""

from __future__ import annotations

import hashlib
import importlib.util
import platform
import shutil
import struct
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from satflow_ext.errors import ContentRefused, PythonMismatch
from satflow_ext.models import Environment

MARK = b"SATFLOW1\n"
LENGTH = struct.Struct(">I")
CHUNK = 1024 * 1024
HEADER_LIMIT = 1024 * 1024


class Header(BaseModel):
    """What must fit before the body is looked at. `deployment` is `flow/deployment`, `size` that of the body in bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    deployment: str
    version: int
    size: int
    environment: Environment


def seal(body: Path, header: Header, content: Path) -> str:
    """Write the envelope of a body to `content` and give its digest, `sha256:…`."""
    encoded = header.model_dump_json().encode()
    with content.open("xb") as out, body.open("rb") as source:
        out.write(MARK + LENGTH.pack(len(encoded)) + encoded)
        shutil.copyfileobj(source, out, CHUNK)
    return digest_of(content)


def digest_of(path: Path) -> str:
    """The sha256 of a file, as `sha256:…`."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return f"sha256:{digest.hexdigest()}"


def opened(content: Path, *, digest: str, size: int, deployment: str, version: int) -> bytes:
    """The body of a content that is what its manifest says and that this Python can read.

    Args:
        content: the file.
        digest: what the manifest pins.
        size: of the whole content in bytes, from the manifest.
        deployment: `flow/deployment` for which it must have been made.
        version: of the deployment, likewise.

    Raises:
        ContentRefused: it is another content, or made for another deployment or version.
        PythonMismatch: another Python made it.
    """
    found = content.stat().st_size
    if found != size:
        raise ContentRefused(f"The flow content has {found} bytes; its manifest says {size}.")
    if digest_of(content) != digest:
        raise ContentRefused(f"The flow content is not {digest}: it was changed or cut on its way.")
    header, body = _split(content.read_bytes())
    if (header.deployment, header.version) != (deployment, version):
        raise ContentRefused(
            f"The flow content was made for {header.deployment} version {header.version}, not for {deployment} version {version}."
        )
    check_python(header.environment)
    return body


def check_python(packed: Environment) -> None:
    """Compare the Python that packed a flow with this one.

    Raises:
        PythonMismatch: reading it here would crash.
    """
    here = (platform.python_implementation(), importlib.util.MAGIC_NUMBER.hex())
    if here != (packed.implementation, packed.magic):
        raise PythonMismatch(
            f"The flow was packed by {packed.implementation} {packed.python}; "
            f"this flow run has {here[0]} {platform.python_version()}.",
            fix="Give the Prefect worker the same Python, or register again from a kernel that has the worker's.",
        )


def _split(content: bytes) -> tuple[Header, bytes]:
    start = len(MARK) + LENGTH.size
    if not content.startswith(MARK) or len(content) < start:
        raise ContentRefused("This is no flow content: its first bytes are not those of one.")
    (length,) = LENGTH.unpack(content[len(MARK) : start])
    if length > HEADER_LIMIT:
        raise ContentRefused(f"The flow content's header claims {length} bytes.")
    try:
        header = Header.model_validate_json(content[start : start + length])
    except ValidationError:
        raise ContentRefused("The flow content's header cannot be read.") from None
    body = content[start + length :]
    if len(body) != header.size:
        raise ContentRefused(f"The flow content's body has {len(body)} bytes; its header says {header.size}.")
    return header, body
