"""HTTP handlers of the store."""

from __future__ import annotations

import asyncio
import errno
import hmac
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import TypeVar

from tornado import web
from tornado.iostream import StreamClosedError

from satflow_ext.store.contents import Contents, ContentTooLong, IncomingContent, WrongDigest

T = TypeVar("T")

CHUNK_SIZE = 256 * 1024
MAX_DRAINED_BYTES = 1024**3
"""Maximum bytes of a refused body that are read and dropped: closing the connection earlier would reset it at the sender, which
then could not read the refusal."""

OTHER_METHODS = ("CONNECT", "TRACE", "COPY", "MOVE", "LOCK", "UNLOCK", "MKCOL", "PROPFIND", "PROPPATCH")
"""Methods that Tornado would refuse before receiving their bodies, with such a reset. They are refused like all others."""

NO_SPACE_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@web.stream_request_body
class BearerHandler(web.RequestHandler):
    """A handler that requires the credential, ignores cookies and answers errors in JSON.

    A refusal is decided before the body is received, and sent after the body was dropped.
    """

    SUPPORTED_METHODS = (*web.RequestHandler.SUPPORTED_METHODS, *OTHER_METHODS)

    def initialize(self, token: bytes) -> None:
        """Set the credential."""
        self._token = token
        self._refusal: web.HTTPError | None = None
        self._dropped_bytes = 0

    def set_default_headers(self) -> None:
        """Set headers that keep browsers from caching or interpreting the answers."""
        self.clear_header("Server")
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")

    def prepare(self) -> None:
        """Decide on a refusal before any byte of the body is stored."""
        given = self.request.headers.get("Authorization", "").encode("utf-8", "replace")
        if hmac.compare_digest(given, b"Bearer " + self._token):
            self._refusal = self.find_refusal()
        else:
            self.set_header("WWW-Authenticate", "Bearer")
            self._refusal = web.HTTPError(401, reason="The credential is missing or wrong")
        if self._refusal is not None and self.content_length > MAX_DRAINED_BYTES:
            raise self._refusal

    async def data_received(self, chunk: bytes) -> None:
        """Process a part of the body."""
        if self._refusal is None:
            await self.receive_chunk(chunk)
            return
        self._dropped_bytes += len(chunk)
        if self._dropped_bytes > MAX_DRAINED_BYTES:
            self.send_error(self._refusal.status_code, reason=self._refusal.reason)

    async def handle_request(self, *path: str) -> None:
        """Send the refusal, or carry out the request."""
        if self._refusal is not None:
            raise self._refusal
        await self.handle_accepted(*path)

    get = head = put = post = patch = delete = options = handle_request
    connect = trace = copy = move = lock = unlock = mkcol = propfind = proppatch = handle_request

    @property
    def content_length(self) -> int:
        """Content-Length of the request, 0 if it has none.

        Raises:
            HTTPError: the header is not a single number.
        """
        header = self.request.headers.get("Content-Length", "0")
        if not (header.isascii() and header.isdigit()):
            raise web.HTTPError(400, reason="Content-Length is not a number")
        return int(header)

    def find_refusal(self) -> web.HTTPError | None:
        """Return the refusal of an authorized request, None if it is accepted."""
        return web.HTTPError(404, reason="This address does not exist; contents are at /contents/sha256:...")

    async def receive_chunk(self, chunk: bytes) -> None:
        """Process a part of an accepted body."""

    async def handle_accepted(self, *path: str) -> None:
        """Carry out an accepted request."""

    def write_error(self, status_code: int, **_kwargs: object) -> None:
        """Write a refusal as a JSON object."""
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps({"error": HTTPStatus(status_code).phrase, "message": self._reason}))


class ContentHandler(BearerHandler):
    """A handler for one content."""

    def initialize(self, token: bytes, contents: Contents) -> None:  # type: ignore[override] # each route has its own
        """Set the credential and the folder of contents."""
        super().initialize(token)
        self._contents = contents
        self._incoming: IncomingContent | None = None
        self._is_processing = False
        self._connection_closed = False

    def find_refusal(self) -> web.HTTPError | None:
        """Refuse other methods than GET, HEAD and PUT, encoded bodies, and bodies over the limit."""
        if self.request.method not in ("GET", "HEAD", "PUT"):
            return web.HTTPError(405, reason="A content accepts only GET, HEAD and PUT")
        if self.request.headers.get("Content-Encoding", "identity") != "identity":
            return web.HTTPError(415, reason="A content must be sent without Content-Encoding")
        return self._too_large_error() if self.content_length > self._contents.limit else None

    async def receive_chunk(self, chunk: bytes) -> None:
        """Write a part of the content."""
        if self.request.method != "PUT":
            return
        await self._process_upload(lambda incoming: incoming.write(chunk))

    async def handle_accepted(self, *path: str) -> None:
        """Store the content, or send it."""
        if self.request.method == "PUT":
            await self._store_content(path[0])
        else:
            await self._send_content(path[0])

    def on_finish(self) -> None:
        """Remove the file of an upload that was not stored."""
        self._discard_upload()

    def on_connection_close(self) -> None:
        """Remove the file of an interrupted upload; a complete content that is being stored stays."""
        super().on_connection_close()
        self._connection_closed = True
        if not self._is_processing:
            self._discard_upload()

    async def _store_content(self, digest: str) -> None:
        """Store the received content; after the answer it survives a power failure."""
        new = await self._process_upload(IncomingContent.commit_content)
        if self._refusal is not None:
            raise self._refusal
        self.set_status(201 if new else 200)
        self.finish({"digest": digest})

    async def _process_upload(self, act: Callable[[IncomingContent], T]) -> T | None:
        """Process the upload in a thread, which may end later than the connection."""
        self._is_processing = True
        try:
            with self._errors_as_refusal():
                self._incoming = self._incoming or self._contents.receive_content(self.path_args[0])
                return await asyncio.to_thread(act, self._incoming)
        finally:
            self._is_processing = False
            if self._connection_closed:
                self._discard_upload()
        return None

    async def _send_content(self, digest: str) -> None:
        size = await asyncio.to_thread(self._contents.touch_content, digest)
        if size is None:
            raise web.HTTPError(404, reason="No content has this digest")
        self.set_header("Content-Type", "application/octet-stream")
        self.set_header("Content-Length", str(size))
        if self.request.method == "HEAD":
            return
        content = await asyncio.to_thread(self._contents.open_content, digest)
        if content is None:
            raise web.HTTPError(404, reason="No content has this digest")
        with content as file, suppress(StreamClosedError):
            while chunk := await asyncio.to_thread(file.read, CHUNK_SIZE):
                self.write(chunk)
                await self.flush()

    @contextmanager
    def _errors_as_refusal(self) -> Iterator[None]:
        """Convert errors inside the block into a refusal, and discard the upload."""
        try:
            yield
        except WrongDigest:
            self._refusal = web.HTTPError(400, reason="The body does not match the digest")
        except ContentTooLong:
            self._refusal = self._too_large_error()
        except OSError as error:
            if error.errno not in NO_SPACE_ERRORS:
                raise
            self._refusal = web.HTTPError(507, reason="The disk of the store has no space for the content")
        if self._refusal is not None:
            self._discard_upload()

    def _too_large_error(self) -> web.HTTPError:
        return web.HTTPError(413, reason=f"A content may have at most {self._contents.limit} bytes")

    def _discard_upload(self) -> None:
        if self._incoming is not None:
            self._incoming.close()
            self._incoming = None
