"""The envelope: whatever is changed in a content, nothing of it is unpickled."""

from __future__ import annotations

import hashlib
import importlib.util
import platform
import sys

import pytest

from satflow_ext.errors import ContentRefused, PythonMismatch
from satflow_ext.models import Environment
from satflow_ext.registration import envelope

HERE = Environment(
    python=platform.python_version(),
    implementation=platform.python_implementation(),
    magic=importlib.util.MAGIC_NUMBER.hex(),
    executable=sys.executable,
    distributions=(),
)
BODY = b"not a pickle, and never read as one"


def seal(folder, *, environment=HERE, body=BODY):
    (folder / "body").write_bytes(body)
    header = envelope.Header(deployment="etl/nightly", version=3, size=len(body), environment=environment)
    digest = envelope.seal(folder / "body", header, folder / "content")
    return folder / "content", digest


def opened(content, digest, **changes):
    expected = {"size": content.stat().st_size, "deployment": "etl/nightly", "version": 3, "digest": digest, **changes}
    return envelope.opened(content, **expected)


def test_what_was_sealed_comes_out(tmp_path):
    content, digest = seal(tmp_path)
    assert opened(content, digest) == BODY


def test_digest_is_the_sha256_of_the_whole_content(tmp_path):
    content, digest = seal(tmp_path)
    assert digest == f"sha256:{hashlib.sha256(content.read_bytes()).hexdigest()}"


def test_every_flipped_byte_is_refused(tmp_path):
    content, digest = seal(tmp_path)
    whole = content.read_bytes()
    for place in range(len(whole)):
        content.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(ContentRefused, match="changed or cut"):
            opened(content, digest)


def test_every_truncation_is_refused_even_when_the_digest_is_right(tmp_path):
    """Whoever can write the manifest can pin a cut content; the format itself still refuses it."""
    content, _ = seal(tmp_path)
    whole = content.read_bytes()
    for length in range(len(whole)):
        content.write_bytes(whole[:length])
        with pytest.raises(ContentRefused):
            opened(content, envelope.digest_of(content))


@pytest.mark.parametrize("changes", [{"deployment": "etl/other"}, {"version": 2}])
def test_content_of_another_deployment_or_version_is_refused(tmp_path, changes):
    content, digest = seal(tmp_path)
    with pytest.raises(ContentRefused, match="made for etl/nightly version 3"):
        opened(content, digest, **changes)


def test_wrong_size_is_refused_first(tmp_path):
    content, digest = seal(tmp_path)
    with pytest.raises(ContentRefused, match="its manifest says 7"):
        opened(content, digest, size=7)


@pytest.mark.parametrize("changes", [{"magic": "00000000", "python": "3.12.1"}, {"implementation": "PyPy"}])
def test_another_python_is_told_before_unpickling(tmp_path, changes):
    content, digest = seal(tmp_path, environment=HERE.model_copy(update=changes))
    with pytest.raises(PythonMismatch, match="Give the Prefect worker the same Python"):
        opened(content, digest)
