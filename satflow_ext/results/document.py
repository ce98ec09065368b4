r"""The result document: what a run stores, and what a reader verifies before it reads the value.

    header, in JSON \n seal, in base64 \n value, in the format that the header names

The seal covers the header, and the header contains the digest of the value and the id of the run. A run signs with the key of the
user who executes it, if that user has one: on the machine of the notebook, this is the reader's own key. A run on another machine
usually has no key, and its result has no seal. A reader accepts that, or a key that it does not trust, if the format contains
only data: such a result is as reliable as the Prefect API and the store. A pickle is read only if a trusted key signed it.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from satflow_ext.errors import ContentRefused, NotTrusted, PythonMismatch, SatflowError, SignatureWrong
from satflow_ext.keys import PublicKey, Signer, TrustedKeys
from satflow_ext.models import Digest
from satflow_ext.results import formats
from satflow_ext.versions import envelope, strict_json
from satflow_ext.versions.packing_environment import PackingEnvironment, current_environment

PURPOSE = b"satflow result 1\n"
"""The purpose in the signature of a result; no other document of SatFlow has the same one."""
HEADER_LIMIT = 16 * 1024
"""Maximum bytes of header and seal together."""
CHANGED_FIX = (
    "It was changed after the run: start the run again, and check who can write to the store and to the Prefect API."
)


class ResultHeader(BaseModel):
    """The header of a result document.

    Args:
        version: version of this document format.
        run_id: the flow run that returned the value.
        format: the format of the value (`results.formats`).
        sha256: digest of the encoded value, and `size` in bytes.
        made: the interpreter and packages that made a pickle; None for other formats.
        created: time when it was written.
        random: makes the document's digest unpredictable, so that it reveals nothing about the value.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    run_id: str
    format: str
    sha256: Digest
    size: int
    made: PackingEnvironment | None
    created: datetime
    random: str


@dataclass(frozen=True)
class VerifiedResult:
    """The result of a run, which has not been read yet. `key` is the trusted key that signed it, if any."""

    header: ResultHeader
    key: PublicKey | None
    body: bytes

    def read_value(self) -> object:
        """Return the value. A pickle is unpickled: call this in the user's own process only.

        Raises:
            NotTrusted: it is a pickle, and no trusted key signed it.
            PythonMismatch: it is a pickle of another Python version.
            ExtraMissing: a library that reads the format is not installed.
            ContentRefused: this version of SatFlow does not support the format, or the value is not in it.
            Exception: it is a pickle, and unpickling raised this.
        """
        found = formats.find_format(self.header.format)
        if found is None:
            raise ContentRefused(
                f"The result has the unknown format {self.header.format!r}.", fix=strict_json.NEWER_FIX
            )
        if found.runs_code:
            self._check_pickle()
            return found.read(self.body)
        try:
            return found.read(self.body)
        except SatflowError:
            raise
        except Exception as error:  # the libraries of the formats raise many types
            raise ContentRefused(f"The result is not valid {found.name}: {error}.", fix=CHANGED_FIX) from None

    def _check_pickle(self) -> None:
        if self.key is None:
            raise NotTrusted(
                "The result is a pickle, which no key that is trusted here has signed. It was not unpickled.",
                fix="Return plain values, arrays, tables or images from the flow, or run `satflow keys trust` "
                "with the key of the user who executes its runs.",
            )
        made, here = self.header.made, current_environment()
        if made is None or (made.implementation, made.magic) != (here.implementation, here.magic):
            other = f"{made.implementation} {made.python}" if made else "an unknown Python"
            raise PythonMismatch(
                f"The result was pickled by {other}; this process has {here.implementation} {here.python}.",
                fix="Read it with that Python, or return plain values, arrays, tables or images from the flow.",
            )


def write_document(header: ResultHeader, signer: Signer | None, body: Path, document: Path) -> str:
    """Write a result document to a new file, and return its digest.

    Args:
        header: the header.
        signer: signs the header; None writes a document without a seal.
        body: file with the encoded value.
        document: path of the new file.
    """
    line = header.model_dump_json().encode()
    seal = base64.b64encode(signer.seal(PURPOSE, line)) if signer else b""
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
    line, seal, body = _split_document(document)
    key = _verify_seal(line, seal, trusted)
    try:
        header = strict_json.parse_model(ResultHeader, line, limit=HEADER_LIMIT)
    except ValueError as error:
        raise ContentRefused(f"The header of the result cannot be read: {error}.", fix=strict_json.NEWER_FIX) from None
    if header.run_id != run_id:
        raise ContentRefused(f"The result is that of run {header.run_id}, not of run {run_id}.", fix=CHANGED_FIX)
    if header.size != len(body) or header.sha256 != envelope.bytes_digest(body):
        raise ContentRefused("The result does not have the digest in its header.", fix=CHANGED_FIX)
    return VerifiedResult(header, key, body)


def _split_document(document: bytes) -> tuple[bytes, bytes, bytes]:
    """Split a document into header, seal and value, by the positions of line ends alone."""
    parts = document[:HEADER_LIMIT].split(b"\n", 2)
    if len(parts) < 3:
        raise ContentRefused("This is not a result of a run.", fix=CHANGED_FIX)
    line, seal, _ = parts
    try:
        return line, base64.b64decode(seal, validate=True), document[len(line) + len(seal) + 2 :]
    except binascii.Error:
        raise ContentRefused("The seal of the result cannot be read.", fix=CHANGED_FIX) from None


def _verify_seal(line: bytes, seal: bytes, trusted: TrustedKeys) -> PublicKey | None:
    """Return the trusted key that signed the header, None if there is none."""
    if not seal:
        return None
    try:
        return trusted.verify(PURPOSE, line, seal, "The result")
    except NotTrusted:
        return None
    except SignatureWrong as error:
        raise SignatureWrong(error.message, fix=CHANGED_FIX) from None
