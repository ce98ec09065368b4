"""The store client: upload contents to a store, and download them by their digest.

Any HTTP endpoint works that stores the body of a request under its URL and returns it. Responses are not trusted: their body is
hashed, a redirect is not followed (a credential belongs to one origin), and a web page with status 200 counts as a login page.
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO, TypeVar

import httpx

from satflow_ext.endpoints import Store, is_on_loopback
from satflow_ext.errors import (
    ContentMissing,
    ContentRefused,
    SatflowError,
    StoreAnsweredHtml,
    StoreFailed,
    StoreFull,
    StoreUnauthorized,
    StoreUnreachable,
)
from satflow_ext.own_http import require_own_listeners
from satflow_ext.versions.aws_signature import AwsSignature

CHUNK_SIZE = 1024 * 1024
DOCUMENT_LIMIT = 16 * 1024 * 1024
RETRY_PAUSES = (0.3, 1.0)
"""Seconds to wait before each further attempt. Sending twice is harmless: the address is the digest of the content."""

RETRY_STATUS_CODES = (500, 502, 503, 504)
"""Status codes of temporary failures; S3 asks its clients to retry after them."""

T = TypeVar("T")


class _Busy(StoreFailed):
    """The store answered with one of `RETRY_STATUS_CODES`."""


class StoreClient:
    """A client of one store. Use it as an asynchronous context manager.

    Args:
        store: the store; its headers have the credential.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        headers = {"Accept-Encoding": "identity", "User-Agent": "satflow-ext", **store.headers}
        # httpx would read all of certifi's certificates (20 ms) even for connections without TLS.
        verify = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if store.url.startswith("http://") else True
        transport = httpx.AsyncHTTPTransport(verify=verify) if store.is_built_in else None
        if transport is not None:
            require_own_listeners(transport)
        self._http = httpx.AsyncClient(
            headers=headers,
            verify=verify,
            auth=AwsSignature(store.aws) if store.aws else None,
            timeout=store.timeout,
            follow_redirects=False,
            trust_env=not is_on_loopback(store.url),
            transport=transport,
        )

    async def __aenter__(self) -> StoreClient:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.__aexit__(kind, error, trace)

    async def put_file(self, digest: str, path: Path) -> None:
        """Upload a file and check that the store has all of it.

        Raises:
            StoreFailed: the file was not stored; the subclass states why.
        """
        size = path.stat().st_size
        await self._retry(lambda: self._send_body(digest, _read_chunks(path), size))
        await self.verify(digest, size)

    async def verify(self, digest: str, size: int) -> None:
        """Check that the store has all `size` bytes of a content.

        Raises:
            ContentMissing: the store has no content with that digest.
            ContentRefused: the store returned other data.
            StoreFailed: the request failed.
        """
        await self._retry(lambda: self._verify_once(digest, size))

    async def has_content(self, digest: str, size: int) -> bool | None:
        """Return whether the store has a content of that size, or None if its answer is inconclusive. Reads no content."""
        try:
            response = await self._http.head(self._store.content_url(digest))
        except httpx.TransportError:
            return None
        if response.status_code == httpx.codes.NOT_FOUND:
            return False
        settled = response.is_success and response.headers.get("content-length") == str(size)
        return True if settled else None

    async def put(self, digest: str, document: bytes) -> None:
        """Upload a small document and read it back.

        Raises:
            StoreFailed: the document was not stored; the subclass states why.
        """
        await self._retry(lambda: self._send_body(digest, document, len(document)))
        if await self.get(digest) != document:
            raise StoreFailed(
                f"{self._display_name} returned other data than was uploaded.", fix="Check the store's settings."
            )

    async def get(self, digest: str, *, limit: int = DOCUMENT_LIMIT) -> bytes:
        """Download a document or a content of at most `limit` bytes.

        Raises:
            ContentMissing: the store has no content with that digest.
            ContentRefused: the store returned other data.
            StoreFailed: the request failed.
        """
        document = BytesIO()
        await self._retry(lambda: self._receive_body(digest, limit, document))
        return document.getvalue()

    async def get_file(self, digest: str, path: Path, *, limit: int) -> None:
        """Download a content of at most `limit` bytes into a file.

        Raises:
            ContentMissing: the store has no content with that digest.
            ContentRefused: the store returned other data.
            StoreFailed: the request failed.
        """
        with path.open("xb") as file:
            await self._retry(lambda: self._receive_body(digest, limit, file))

    @property
    def _display_name(self) -> str:
        return f"The store {self._store.name!r} ({_origin(self._store.url)})"

    async def _send_body(self, digest: str, body: bytes | AsyncIterator[bytes], size: int) -> None:
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        response = await self._http.request(
            self._store.method, self._store.content_url(digest), content=body, headers=headers
        )
        self._check_status(response, digest)

    async def _verify_once(self, digest: str, size: int) -> None:
        """Compare the size from a HEAD request; if it is inconclusive, download the content."""
        response = await self._http.head(self._store.content_url(digest))
        if response.headers.get("content-length") != str(size) or not response.is_success:
            with TemporaryFile() as file:
                await self._receive_body(digest, size, file)

    async def _receive_body(self, digest: str, limit: int, out: IO[bytes]) -> None:
        """Download the body into `out`, and check its size and its hash."""
        out.seek(0)
        out.truncate()
        hashed, size = hashlib.sha256(), 0
        async with self._http.stream("GET", self._store.content_url(digest)) as response:
            self._check_status(response, digest)
            async for chunk in response.aiter_raw(CHUNK_SIZE):
                size += len(chunk)
                if size > limit:
                    break
                hashed.update(chunk)
                out.write(chunk)
        if f"sha256:{hashed.hexdigest()}" != digest:
            raise self._wrong_content_error(response, digest)

    def _wrong_content_error(self, response: httpx.Response, digest: str) -> SatflowError:
        """Return the error for a response that is not the content."""
        if response.headers.get("content-type", "").startswith("text/html"):
            return StoreAnsweredHtml(
                f"{self._display_name} answered with a web page, perhaps a login page.",
                fix="Use an address that accepts a credential.",
            )
        return ContentRefused(
            f"{self._display_name} returned other data for {digest}.", fix="Check any proxy in front of it."
        )

    def _check_status(self, response: httpx.Response, digest: str) -> None:
        status = response.status_code
        if status in (401, 403):
            raise StoreUnauthorized(
                f"{self._display_name} refused the credential ({status}).", fix="Check the store's headers."
            )
        if status in (413, 507):
            raise StoreFull(
                f"{self._display_name} has no room for {digest} ({status}).", fix="Make room, or raise its limit."
            )
        if status == 404 and response.request.method in ("GET", "HEAD"):
            raise ContentMissing(f"{self._display_name} has no content {digest}.", fix="Register the flow again.")
        if 300 <= status < 400:
            raise StoreFailed(
                f"{self._display_name} answered with a redirect ({status}), which is not followed: "
                "a credential is for one address.",
                fix="Set the final address of the contents; a redirect often leads to a login page.",
            )
        if not 200 <= status < 300:
            failure = _Busy if status in RETRY_STATUS_CODES else StoreFailed
            raise failure(
                f"{self._display_name} answered {status} {response.reason_phrase}.", fix="Check the store's log."
            )

    async def _retry(self, call: Callable[[], Awaitable[T]]) -> T:
        for pause in (*RETRY_PAUSES, None):
            try:
                return await call()
            except httpx.TransportError as error:
                if pause is None:
                    reason = str(error) or type(error).__name__
                    raise StoreUnreachable(
                        f"{self._display_name} does not answer: {reason}.", fix="Check that it is running."
                    ) from None
            except _Busy:
                if pause is None:
                    raise
            await asyncio.sleep(pause)
        raise AssertionError("unreachable")


async def _read_chunks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while chunk := await asyncio.to_thread(file.read, CHUNK_SIZE):
            yield chunk


def _origin(url: str) -> str:
    """Return scheme, host and port of a URL, which may be displayed. Its path and query may be secret."""
    parsed = httpx.URL(url.replace("{digest}", ""))
    return f"{parsed.scheme}://{parsed.netloc.decode()}"
