"""The manifest's document: readable, signed, and nothing of it acted upon before that was checked."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from satflow_ext.errors import ContentRefused, NotTrusted, SignatureWrong
from satflow_ext.models import ExecutorChoice
from satflow_ext.versions import envelope, manifest
from tests.registration import sealed

ANNA, EVE = sealed.signer(), sealed.signer()
MANIFEST = sealed.manifest(b"content")
DOCUMENT = MANIFEST.encode(ANNA)


def verified(document, *signers):
    return manifest.parse_verified_manifest(
        document, manifest.digest_of(document), sealed.trusting(*(signers or (ANNA,)))
    )


def resealed(line, by, purpose=manifest.PURPOSE):
    return line + b"\n" + base64.b64encode(by.seal(purpose, line)) + b"\n"


def test_its_first_line_is_the_manifest_as_canonical_json():
    line = DOCUMENT.split(b"\n")[0]
    assert json.loads(line) == MANIFEST.model_dump(mode="json")
    assert line == manifest.canonical_json(json.loads(line))


def test_the_format_is_the_one_that_is_written_down():
    line, seal, end = DOCUMENT.split(b"\n")
    raw = base64.b64decode(seal)
    assert (len(raw), end) == (96, b"")
    Ed25519PublicKey.from_public_bytes(raw[:32]).verify(raw[32:], b"satflow manifest 1\n" + line)


def test_what_a_trusted_key_signed_is_read():
    assert verified(DOCUMENT) == MANIFEST
    assert verified(DOCUMENT, EVE, ANNA) == MANIFEST


def test_what_a_stranger_signed_is_shown_and_not_acted_upon():
    assert manifest.parse_manifest(DOCUMENT, manifest.digest_of(DOCUMENT)) == MANIFEST
    with pytest.raises(NotTrusted, match=f"The manifest was signed by key {ANNA.public_key.id}"):
        verified(DOCUMENT, EVE)


def test_another_executor_under_the_old_seal_is_refused():
    executor = ExecutorChoice(name="dask-address", options={"address": "tcp://eve:1"})
    altered = MANIFEST.model_copy(update={"chosen": MANIFEST.chosen.model_copy(update={"executor": executor})})
    document = manifest.canonical_json(altered.model_dump(mode="json")) + DOCUMENT[DOCUMENT.index(b"\n") :]
    with pytest.raises(SignatureWrong, match=f"The manifest is not what key {ANNA.public_key.id} signed"):
        verified(document)


def test_a_seal_for_a_content_is_none_for_a_manifest():
    with pytest.raises(SignatureWrong):
        verified(resealed(DOCUMENT.split(b"\n")[0], ANNA, envelope.PURPOSE))


def test_a_trusted_key_in_front_of_a_strangers_signature_is_refused():
    line = DOCUMENT.split(b"\n")[0]
    forged = ANNA.public_key.raw + EVE.seal(manifest.PURPOSE, line)[32:]
    with pytest.raises(SignatureWrong):
        verified(line + b"\n" + base64.b64encode(forged) + b"\n")


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"\n\n",
        DOCUMENT.split(b"\n")[0],
        DOCUMENT.split(b"\n")[0] + b"\n",
        DOCUMENT[:-1],
        DOCUMENT[:-2] + b"\n",
        DOCUMENT + b"\n",
        DOCUMENT[:-6] + b"!!!!!\n",
        DOCUMENT[:-1] + b"\r",
    ],
)
def test_other_documents_are_refused(document):
    with pytest.raises(ContentRefused):
        verified(document)


def test_the_document_of_another_digest_is_refused_first():
    with pytest.raises(ContentRefused, match="another document"):
        manifest.parse_verified_manifest(DOCUMENT, manifest.digest_of(b""), sealed.trusting(EVE))


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (DOCUMENT.split(b"\n")[0][:-1] + b',"version":4}', "duplicate key"),
        (DOCUMENT.split(b"\n")[0].replace(b'"format":1', b'"format":2'), "format"),
        (DOCUMENT.split(b"\n")[0].replace(b'"exact":"e",', b""), "exact"),
        (b"null", "not an object"),
    ],
)
def test_a_signed_line_that_this_version_does_not_understand_is_refused(line, why):
    with pytest.raises(ContentRefused, match=why):
        verified(resealed(line, ANNA))
