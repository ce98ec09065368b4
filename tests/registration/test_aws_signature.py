"""The signature, against the one that Amazon's own library makes of the same request."""

from __future__ import annotations

from datetime import datetime, timezone

import httpx
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from satflow_ext import endpoints
from satflow_ext.endpoints import AwsCredential, Store
from satflow_ext.errors import SettingsWrong
from satflow_ext.settings import load_settings
from satflow_ext.versions.aws_signature import EMPTY_BODY_HASH, AwsSignature

DIGEST = f"sha256:{'ab' * 32}"
NOW = datetime(2026, 11, 21, 12, 30, 5, tzinfo=timezone.utc)


@pytest.mark.parametrize("token", [None, "a-session-token"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "POST", "DELETE"])
@pytest.mark.parametrize("origin", ["https://s3.eu-central-1.amazonaws.com", "http://127.0.0.1:9000"])
def test_it_is_the_one_of_botocore(method, token, origin, monkeypatch):
    credential = AwsCredential("eu-central-1", "AKIDEXAMPLE", "a/secret+key", token)
    store = Store("s3", f"{origin}/bucket/sat%20flow/{{digest}}", aws=credential)
    ours = httpx.Request(method, store.content_url(DIGEST), content=b"" if method in ("PUT", "POST") else None)
    AwsSignature(credential).sign_request(ours, NOW)

    signer = S3SigV4Auth(Credentials("AKIDEXAMPLE", "a/secret+key", token), "s3", "eu-central-1")
    theirs = AWSRequest(method, store.content_url(DIGEST))
    body_hash = DIGEST[7:] if method in ("PUT", "POST") else EMPTY_BODY_HASH
    monkeypatch.setattr(signer, "payload", lambda _: body_hash)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *_: NOW.replace(tzinfo=None))
    signer.add_auth(theirs)
    assert ours.headers["Authorization"] == theirs.headers["Authorization"]


def test_the_credential_is_named_in_the_settings_and_read_from_the_environment(monkeypatch):
    monkeypatch.setenv("SATFLOW_STORES__S3__URL", "https://s3.example.com/bucket/{digest}")
    monkeypatch.setenv("SATFLOW_STORES__S3__AWS__REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY", raising=False)
    with pytest.raises(SettingsWrong, match="needs the environment variable AWS_SECRET_ACCESS_KEY"):
        endpoints.find_store("s3", load_settings(), None)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret")
    found = endpoints.find_store("s3", load_settings(), None)
    assert found.aws == AwsCredential("us-east-1", "AKIDEXAMPLE", "a-secret")
    assert "a-secret" not in repr(found)
