r"""The documents that a run stores, and what a reader verifies before it reads their values: results, and inputs of failed tasks.

    header, in JSON \n seal, in base64 \n values, in the formats that the header names

The seal covers the header, and the header contains the digest of the values and the id of the run. A run signs with the key of
the user who executes it, if that user has one: on the machine of the notebook, this is the reader's own key. A run on another
machine usually has no key, and its documents have no seal. A reader accepts that, or a key that it does not trust, if the format
contains only data: such a value is as reliable as the Prefect API and the store. A pickle is read if a trusted key signed it.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from satflow_ext.errors import ContentRefused, NotTrusted, PythonMismatch, SatflowError, SignatureWrong
from satflow_ext.keys import PublicKey, Signer, TrustedKeys
from satflow_ext.models import Digest
from satflow_ext.value_formats import formats
from satflow_ext.versions import envelope, strict_json
from satflow_ext.versions.packing_environment import PackingEnvironment, current_environment

HEADER_LIMIT = 16 * 1024
"""Maximum bytes of header and seal together."""


@dataclass(frozen=True)
class DocumentKind:
    """A kind of documents.

    Args:
        purpose: the purpose in their signatures, which no other document of SatFlow has.
        name: their name in messages.
        changed_fix: advice about one that was changed.
    """

    purpose: bytes
    name: str
    changed_fix: str


RESULT = DocumentKind(
    b"satflow result 1\n",
    "The result",
    "It was changed after the run: start the run again, and check who can write to the store and to the Prefect API.",
)


class DocumentHeader(BaseModel):
    """The part of the header that all kinds of documents have; `kind` is the kind.

    Args:
        version: version of this document format.
        run_id: the flow run that wrote the document.
        sha256: digest of the encoded values, and `size` in bytes.
        made: the interpreter and packages that made a pickle; None if there is none.
        created: time when it was written.
        random: makes the document's digest unpredictable, so that it reveals nothing about the values.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: ClassVar[DocumentKind]

    version: Literal[1] = 1
    run_id: str
    sha256: Digest
    size: int
    made: PackingEnvironment | None
    created: datetime
    random: str


class ResultHeader(DocumentHeader):
    """The header of a result document. `format` is the format of the value (`value_formats.formats`)."""

    kind = RESULT

    format: str


Header = TypeVar("Header", bound=DocumentHeader)


@dataclass(frozen=True)
class OpenedDocument(Generic[Header]):
    """A verified document: header, the trusted key that signed it, if any, and the encoded values."""

    header: Header
    key: PublicKey | None
    body: bytes


class VerifiedResult(OpenedDocument[ResultHeader]):
    """The result of a run, which has not been read yet."""

    def read_value(self) -> object:
        """Return the value, as `read_value` does. A pickle is unpickled: call this in the user's own process only."""
        return read_value(self, self.header.format, self.body)


def read_value(opened: OpenedDocument[Any], format_name: str, data: bytes) -> object:
    """Return a value of a verified document. A pickle is unpickled: call this in the user's own process only.

    Args:
        opened: the document.
        format_name: the format of the value.
        data: the encoded value.

    Raises:
        NotTrusted: it is a pickle, and no trusted key signed it.
        PythonMismatch: it is a pickle of another Python version.
        ExtraMissing: a library that reads the format is not installed.
        ContentRefused: this version of SatFlow does not support the format, or the value is not in it.
        Exception: it is a pickle, and unpickling raised this.
    """
    found, kind = formats.find_format(format_name), opened.header.kind
    if found is None:
        raise ContentRefused(f"{kind.name} has the unknown format {format_name!r}.", fix=strict_json.NEWER_FIX)
    if found.runs_code:
        _check_pickle(opened)
        return found.read(data)
    try:
        return found.read(data)
    except SatflowError:
        raise
    except Exception as error:  # the libraries of the formats raise many types
        raise ContentRefused(f"{kind.name} is not valid {found.name}: {error}.", fix=kind.changed_fix) from None


def _check_pickle(opened: OpenedDocument[Any]) -> None:
    name = opened.header.kind.name
    if opened.key is None:
        raise NotTrusted(
            f"{name} is a pickle, which no key that is trusted here has signed. It was not unpickled.",
            fix="Use plain values, arrays, tables or images, or run `satflow keys trust` with the key of the user who executes "
            "the runs.",
        )
    made, here = opened.header.made, current_environment()
    if made is None or (made.implementation, made.magic) != (here.implementation, here.magic):
        other = f"{made.implementation} {made.python}" if made else "an unknown Python"
        raise PythonMismatch(
            f"{name} was pickled by {other}; this process has {here.implementation} {here.python}.",
            fix="Read it with that Python, or use plain values, arrays, tables or images.",
        )


def write_document(header: DocumentHeader, signer: Signer | None, body: Path, document: Path) -> str:
    """Write a document to a new file, and return its digest.

    Args:
        header: the header.
        signer: signs the header; None writes a document without a seal.
        body: file with the encoded values.
        document: path of the new file.
    """
    line = header.model_dump_json().encode()
    seal = base64.b64encode(signer.seal(header.kind.purpose, line)) if signer else b""
    return envelope.write_document(line + b"\n" + seal + b"\n", body, document)


def verify_document(document: bytes, run_id: str, trusted: TrustedKeys) -> VerifiedResult:
    """Verify that a document, whose digest was checked, is the result of a run.

    Args:
        document: the document.
        run_id: the flow run.
        trusted: the keys whose pickles may be read.

    Raises:
        ContentRefused: it is not a result document, or that of another run.
        SignatureWrong: it differs from the document that was signed.
    """
    opened = open_document(ResultHeader, document, run_id, trusted)
    return VerifiedResult(opened.header, opened.key, opened.body)


def open_document(model: type[Header], document: bytes, run_id: str, trusted: TrustedKeys) -> OpenedDocument[Header]:
    """Verify that a document, whose digest was checked, has this kind of header and is of this run.

    Raises:
        ContentRefused: it is another document, or that of another run.
        SignatureWrong: it differs from the document that was signed.
    """
    kind = model.kind
    line, seal, body = _split_document(kind, document)
    key = _verify_seal(kind, line, seal, trusted)
    try:
        header = strict_json.parse_model(model, line, limit=HEADER_LIMIT)
    except ValueError as error:
        raise ContentRefused(
            f"{kind.name} cannot be read, because of the header: {error}.", fix=strict_json.NEWER_FIX
        ) from None
    if header.run_id != run_id:
        raise ContentRefused(f"{kind.name} is that of run {header.run_id}, not of run {run_id}.", fix=kind.changed_fix)
    if header.size != len(body) or header.sha256 != envelope.bytes_digest(body):
        raise ContentRefused(f"{kind.name} does not have the digest in its header.", fix=kind.changed_fix)
    return OpenedDocument(header, key, body)


def _split_document(kind: DocumentKind, document: bytes) -> tuple[bytes, bytes, bytes]:
    """Split a document into header, seal and values, by the positions of line ends alone."""
    parts = document[:HEADER_LIMIT].split(b"\n", 2)
    if len(parts) < 3:
        raise ContentRefused(f"{kind.name} is not in a document of SatFlow.", fix=kind.changed_fix)
    line, seal, _ = parts
    try:
        return line, base64.b64decode(seal, validate=True), document[len(line) + len(seal) + 2 :]
    except binascii.Error:
        raise ContentRefused(f"{kind.name} has a seal that cannot be read.", fix=kind.changed_fix) from None


def _verify_seal(kind: DocumentKind, line: bytes, seal: bytes, trusted: TrustedKeys) -> PublicKey | None:
    """Return the trusted key that signed the header, None if there is none."""
    if not seal:
        return None
    try:
        return trusted.verify(kind.purpose, line, seal, kind.name)
    except NotTrusted:
        return None
    except SignatureWrong as error:
        raise SignatureWrong(error.message, fix=kind.changed_fix) from None
