"""A result is what the run signed, and only a signed pickle is unpickled."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from satflow_ext.credentials.redacting_filter import Redactor
from satflow_ext.errors import ContentRefused, NotTrusted, PythonMismatch, SatflowError, SignatureWrong
from satflow_ext.keys import Signer
from satflow_ext.results.document import ResultHeader, VerifiedResult, verify_document, write_document
from satflow_ext.results.reference import RESULT_LABEL, ResultReference, parse_label
from satflow_ext.value_formats import formats
from satflow_ext.value_formats.formats import BoundedFile
from tests.registration.sealed import HERE, NOW, signer, trusting

RUN = "0f5d1d5c-0000-4000-8000-000000000001"
MINE, OTHER = signer(), signer()


class Explodes:
    """Unpickling it raises."""

    def __reduce__(self):
        return exec, ("raise SystemExit('unpickled')",)


@pytest.fixture
def written(tmp_path: Path):
    """Writes a document, and returns it."""

    def write(value: object, by: Signer | None = MINE, **changes) -> bytes:
        with io.BytesIO() as file:
            name = formats.write_value(value, BoundedFile(file, 10**6)).name
            body = file.getvalue()
        (tmp_path / "body").write_bytes(body)
        usual = {
            "run_id": RUN,
            "format": name,
            "sha256": f"sha256:{hashlib.sha256(body).hexdigest()}",
            "size": len(body),
            "made": HERE,
            "created": NOW,
            "random": "5",
        }
        (tmp_path / "document").unlink(missing_ok=True)
        digest = write_document(ResultHeader(**{**usual, **changes}), by, tmp_path / "body", tmp_path / "document")
        document = (tmp_path / "document").read_bytes()
        assert digest == f"sha256:{hashlib.sha256(document).hexdigest()}"
        return document

    return write


def verified(document: bytes) -> VerifiedResult:
    return verify_document(document, RUN, trusting(MINE))


@pytest.mark.parametrize("by", [MINE, OTHER, None], ids=["trusted", "not trusted", "unsigned"])
def test_data_is_read_from_any_source(written, by):
    found = verified(written({"a": (1, 2)}, by))
    assert found.read_value() == {"a": (1, 2)}
    assert (found.key is not None) == (by is MINE)


def test_a_signed_pickle_is_unpickled(written):
    with pytest.raises(SystemExit, match="unpickled"):
        verified(written(Explodes())).read_value()


@pytest.mark.parametrize("by", [OTHER, None], ids=["not trusted", "unsigned"])
def test_another_pickle_is_refused(written, by):
    with pytest.raises(NotTrusted, match="no key that is trusted here has signed"):
        verified(written(Explodes(), by)).read_value()


@pytest.mark.parametrize("made", [HERE.model_copy(update={"magic": "0", "python": "3.9.9"}), None])
def test_a_pickle_of_another_python_is_refused(written, made):
    with pytest.raises(PythonMismatch, match=r"3\.9\.9|unknown Python"):
        verified(written(Explodes(), made=made)).read_value()


def test_every_changed_byte_is_noticed(written):
    document = written(Explodes())
    for at in range(len(document)):
        changed = document[:at] + bytes([document[at] ^ 1]) + document[at + 1 :]
        with pytest.raises((ContentRefused, NotTrusted)):
            verified(changed).read_value()


@pytest.mark.parametrize("end", [0, 1, 50, 200, -1])
def test_a_truncated_document_is_refused(written, end):
    with pytest.raises(ContentRefused):
        verified(written([1, 2], None)[:end])


WRONG = {
    "run": ({"run_id": RUN.replace("1", "2")}, "that of run"),
    "size": ({"size": 1}, "digest in its header"),
    "digest": ({"sha256": f"sha256:{'0' * 64}"}, "digest in its header"),
    "format": ({"format": "yaml"}, "unknown format 'yaml'"),
    "data": ({"format": "numpy"}, "not valid numpy"),
}


@pytest.mark.parametrize("case", WRONG)
@pytest.mark.parametrize("by", [MINE, None], ids=["signed", "unsigned"])
def test_a_header_that_is_wrong_is_refused(written, case, by):
    changes, message = WRONG[case]
    with pytest.raises(ContentRefused, match=message):
        verified(written("text", by, **changes)).read_value()


def test_the_signature_of_another_purpose_is_refused(written):
    document = written("text")
    line, _, body = document.split(b"\n", 2)
    with pytest.raises(SignatureWrong, match="start the run again"):
        verified(b"\n".join([line, _seal_for_manifest(line), body]))


def _seal_for_manifest(line: bytes) -> bytes:
    import base64

    return base64.b64encode(MINE.seal(b"satflow manifest 1\n", line))


LABELS = {
    "team store sha256:" + "0" * 64: ResultReference("team store", f"sha256:{'0' * 64}"),
    "none": None,
    "not stored: size": "larger than `result_limit`",
    "not stored: secret": "value of a secret",
    "not stored: something new": "an error occurred",
    None: "stored no result",
    "sha256:" + "0" * 64: "is not valid",
    5: "is not valid",
}


@pytest.mark.parametrize("label", LABELS)
def test_a_label_is_a_reference_or_an_explanation(label):
    labels = {} if label is None else {RESULT_LABEL: label}
    expected = LABELS[label]
    if isinstance(expected, str):
        with pytest.raises(SatflowError, match=expected):
            parse_label(labels, "calm-fox")
    else:
        assert parse_label(labels, "calm-fox") == expected
        assert expected is None or expected.label == label


SECRET = "top/secret é 5"
HOLDERS = {
    "text": SECRET,
    "nested": [{"a": (f"user:{SECRET}@host",)}],
    "bytes": f"xx{SECRET}yy".encode(),
    "array": np.array([SECRET]),
    "characters": np.frombuffer(f" {SECRET} ".encode(), dtype="u1"),
    "frame": pd.DataFrame({"a": ["x", SECRET]}),
    "categories": pd.DataFrame({"a": pd.Categorical([SECRET])}),
    "object": replace,
}


@pytest.mark.parametrize("case", HOLDERS)
def test_a_secret_is_found_in_every_format(case, tmp_path):
    value = HOLDERS[case] if case != "object" else type("Holder", (), {"kept": SECRET})()
    with io.BytesIO() as file:
        formats.write_value(value, BoundedFile(file, 10**6))
        assert Redactor({"OTHER": "another one", "TOKEN": SECRET}).find_secret(file.getvalue()) == "TOKEN"
        assert Redactor({"OTHER": "another one"}).find_secret(file.getvalue()) is None
