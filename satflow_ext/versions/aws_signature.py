"""AWS Signature Version 4, which an S3-compatible store requires on every request.

Implements only what a content store needs: one object at a time, no query, no chunks. The digest in the address is signed as the
hash of the body, so a store that checks signatures checks the digest as well.
Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator
from datetime import datetime, timezone

import httpx

from satflow_ext.endpoints import AwsCredential

ALGORITHM = "AWS4-HMAC-SHA256"
EMPTY_BODY_HASH = hashlib.sha256(b"").hexdigest()
DIGEST_IN_PATH = re.compile(r"sha256(?::|%3A)([0-9a-f]{64})")


class AwsSignature(httpx.Auth):
    """Signs each request of an HTTP client.

    Args:
        credential: the key that signs the requests, and the region of the store.
    """

    def __init__(self, credential: AwsCredential) -> None:
        self._credential = credential

    def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override] # responses are not used
        """Add the signature to the request's headers."""
        self.sign_request(request, datetime.now(timezone.utc))
        yield request

    def sign_request(self, request: httpx.Request, now: datetime) -> None:
        """Add the signature for the given time to the request's headers."""
        moment = now.strftime("%Y%m%dT%H%M%SZ")
        request.headers["x-amz-date"] = moment
        request.headers["x-amz-content-sha256"] = _body_hash(request)
        if self._credential.session_token:
            request.headers["x-amz-security-token"] = self._credential.session_token
        signed = sorted(name for name in request.headers if name == "host" or name.startswith("x-amz-"))
        scope = f"{moment[:8]}/{self._credential.region}/s3/aws4_request"
        string_to_sign = "\n".join(
            [ALGORITHM, moment, scope, hashlib.sha256(_canonical_request(request, signed)).hexdigest()]
        )
        signature = hmac.new(self._signing_key(scope), string_to_sign.encode(), hashlib.sha256).hexdigest()
        request.headers["Authorization"] = (
            f"{ALGORITHM} Credential={self._credential.key_id}/{scope}, "
            f"SignedHeaders={';'.join(signed)}, Signature={signature}"
        )

    def _signing_key(self, scope: str) -> bytes:
        """Derive the signing key of one day, region and service."""
        key = b"AWS4" + self._credential.secret_key.encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return key


def _body_hash(request: httpx.Request) -> str:
    if request.method in ("GET", "HEAD", "DELETE"):
        return EMPTY_BODY_HASH
    named = DIGEST_IN_PATH.search(request.url.raw_path.decode())
    return named[1] if named else "UNSIGNED-PAYLOAD"


def _canonical_request(request: httpx.Request, signed: list[str]) -> bytes:
    """Return the canonical form of the request, which is signed."""
    path, _, query = request.url.raw_path.decode().partition("?")
    headers = [f"{name}:{' '.join(request.headers[name].split())}\n" for name in signed]
    return "\n".join(
        [request.method, path, query, "".join(headers), ";".join(signed), request.headers["x-amz-content-sha256"]]
    ).encode()
