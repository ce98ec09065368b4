"""What a flow run may act upon, one check at a time; `test_mutants` has the million."""

from __future__ import annotations

import pytest

from satflow_ext.errors import ContentRefused, NotTrusted, PythonMismatch
from satflow_ext.runtime.fetch import check_content, check_manifest
from tests.registration import sealed

ANNA, BEN, EVE = sealed.signer(), sealed.signer(), sealed.signer()
TRUSTED = sealed.trusting(ANNA, BEN)
CONTENT = sealed.content(ANNA, b"body")
MANIFEST = sealed.manifest(CONTENT)
DOCUMENT = MANIFEST.encode(ANNA)


def test_what_was_signed_for_the_deployment_is_read():
    assert check_manifest(DOCUMENT, sealed.digest(DOCUMENT), "etl/nightly", TRUSTED) == MANIFEST
    assert check_content(MANIFEST, CONTENT, TRUSTED, sealed.HERE).body == b"body"


@pytest.mark.parametrize("deployment", ["etl/other", "other/nightly", "nightly", ""])
def test_a_manifest_of_another_deployment_is_refused(deployment):
    with pytest.raises(
        ContentRefused, match=f"The deployment {deployment} pins a flow that was signed for etl/nightly"
    ):
        check_manifest(DOCUMENT, sealed.digest(DOCUMENT), deployment, TRUSTED)


def test_a_manifest_of_a_stranger_is_refused_before_its_deployment_is_looked_at():
    document = MANIFEST.encode(EVE)
    with pytest.raises(NotTrusted):
        check_manifest(document, sealed.digest(document), "etl/other", TRUSTED)


@pytest.mark.parametrize("changes", [{"version": 4}, {"flow_name": "other"}, {"deployment": "other"}])
def test_a_content_of_another_version_or_deployment_is_refused_under_a_signed_manifest(changes):
    with pytest.raises(ContentRefused, match="packed for etl/nightly version 3, not for"):
        check_content(sealed.manifest(CONTENT, **changes), CONTENT, TRUSTED, sealed.HERE)


def test_a_content_of_a_stranger_is_refused_under_a_signed_manifest():
    content = sealed.content(EVE, b"body")
    with pytest.raises(NotTrusted):
        check_content(sealed.manifest(content), content, TRUSTED, sealed.HERE)


def test_another_python_is_refused():
    other = sealed.HERE.model_copy(update={"magic": "00000000"})
    with pytest.raises(PythonMismatch):
        check_content(MANIFEST, CONTENT, TRUSTED, other)
