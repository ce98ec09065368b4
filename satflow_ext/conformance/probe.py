"""The tools of the checks: requests with and without the store's credential, raw connections, and test contents."""

from __future__ import annotations

import asyncio
import hashlib
import os
import ssl
import urllib.request
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType

import httpx

from satflow_ext.endpoints import Store, is_on_loopback
from satflow_ext.versions.aws_signature import AwsSignature

Body = bytes | AsyncIterator[bytes]
ANSWER_TIMEOUT = 20.0
"""Seconds to wait for a part of an answer."""


@dataclass(frozen=True)
class Content:
    """A body and the digest that names it."""

    body: bytes
    digest: str

    @classmethod
    def from_body(cls, body: bytes) -> Content:
        """Return a content with the digest of a body."""
        return cls(body, f"sha256:{hashlib.sha256(body).hexdigest()}")

    @classmethod
    def create_random(cls, size: int = 1000) -> Content:
        """Return a content that no store has yet."""
        return cls.from_body(os.urandom(size))


class Probe:
    """A client for requests to one store. Use it as an asynchronous context manager.

    Args:
        store: store to check, with its credential.
        largest: size of the largest test content in bytes.
    """

    def __init__(self, store: Store, largest: int) -> None:
        self.store = store
        self.largest = largest
        self.sent_digests: dict[str, None] = {}
        self._signature = AwsSignature(store.aws) if store.aws else None
        self._http = httpx.AsyncClient(
            headers={"Accept-Encoding": "identity", "User-Agent": "satflow-ext"},
            timeout=min(store.timeout, ANSWER_TIMEOUT),
            follow_redirects=False,
            trust_env=not is_on_loopback(store.url),
            limits=httpx.Limits(max_connections=64),
        )

    async def __aenter__(self) -> Probe:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.__aexit__(kind, error, trace)

    @property
    def credential(self) -> dict[str, str]:
        """The headers of the credential; for a signed store, the headers of a signed request for the empty content."""
        if self._signature is None:
            return dict(self.store.headers)
        signed = self.request("GET", Content.from_body(b"").digest)
        names = [name for name in signed.headers if name.startswith("x-amz-") or name == "authorization"]
        return {**self.store.headers, **{name: signed.headers[name] for name in names}}

    @property
    def secrets(self) -> tuple[str, ...]:
        """Strings that no answer may contain."""
        aws = self.store.aws
        signing = (aws.secret_key, aws.session_token or aws.secret_key) if aws else ()
        return (*self.store.headers.values(), *signing)

    def request(self, method: str, digest: str, body: Body | None = None, /, **headers: str) -> httpx.Request:
        """Build a request with the credential. `X_Name=value` becomes the header `X-Name`."""
        if method in ("PUT", "POST"):
            self.sent_digests[digest] = None
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = self._http.build_request(
            method, self.store.content_url(digest), content=body, headers={**self.store.headers, **named}
        )
        if self._signature is not None:
            next(self._signature.auth_flow(request))
        return request

    async def send_request(
        self, method: str, digest: str, body: Body | None = None, /, **headers: str
    ) -> httpx.Response:
        """Send a request with the credential and return the answer with its whole body."""
        return await self._http.send(self.request(method, digest, body, **headers))

    async def send_request_as(
        self, credential: Mapping[str, str], method: str, digest: str, body: bytes | None = None
    ) -> httpx.Response:
        """Send a request with these headers instead of the credential."""
        if body is not None:
            self.sent_digests[digest] = None
        return await self._http.request(method, self.store.content_url(digest), content=body, headers=dict(credential))

    async def send_request_to(self, url: str, method: str = "GET") -> httpx.Response:
        """Send a request with the credential to another address of the store."""
        request = self._http.build_request(method, url, headers=self.store.headers)
        if self._signature is not None:
            next(self._signature.auth_flow(request))
        return await self._http.send(request)

    async def put(self, content: Content, **headers: str) -> httpx.Response:
        """Upload a content as SatFlow does."""
        return await self.put_as(content.digest, content.body, **headers)

    async def put_as(self, digest: str, body: bytes, **headers: str) -> httpx.Response:
        """Upload a body under any digest."""
        request = self.request(self.store.method, digest, body, Content_Type="application/octet-stream", **headers)
        return await self._http.send(request)

    async def get(self, digest: str, **headers: str) -> httpx.Response:
        """Request a content."""
        return await self._http.send(self.request("GET", digest, **headers))

    @asynccontextmanager
    async def open_answer(self, digest: str) -> AsyncIterator[httpx.Response]:
        """Open an answer whose body is not read yet."""
        response = await self._http.send(self.request("GET", digest), stream=True)
        try:
            yield response
        finally:
            await response.aclose()

    def build_put_head(self, digest: str, *lines: str) -> bytes:
        """Return the request line and headers of an upload, with the credential; `lines` add the length, right or wrong."""
        request = self.request(self.store.method, digest)
        left = ("content-length", "connection", "accept", "accept-encoding")
        kept = [f"{name}: {value}" for name, value in request.headers.items() if name not in left]
        first = f"{request.method} {request.url.raw_path.decode()} HTTP/1.1"
        return "\r\n".join([first, *kept, *lines]).encode() + b"\r\n\r\n"

    @asynccontextmanager
    async def open_raw_connection(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """Open a raw connection to the store."""
        url = httpx.URL(self.store.content_url(""))
        secure = ssl.create_default_context() if url.scheme == "https" else None
        port = url.port or (443 if secure else 80)
        reader, writer = await asyncio.open_connection(url.host, port, ssl=secure)
        try:
            yield reader, writer
        finally:
            writer.transport.abort()

    @property
    def behind_proxy(self) -> bool:
        """True if this machine reaches the store only through a proxy, so that no raw connection is possible."""
        url = httpx.URL(self.store.content_url(""))
        return (
            not is_on_loopback(self.store.url)
            and url.scheme in urllib.request.getproxies()
            and not urllib.request.proxy_bypass(url.host)
        )
