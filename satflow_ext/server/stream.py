"""/satflow/stream: one websocket for each browser tab."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from datetime import datetime, timezone
from http import HTTPStatus
from typing import TypeAlias

from jupyter_server.auth.decorator import authorized, ws_authenticated
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from jupyter_server.utils import ensure_async
from pydantic import TypeAdapter, ValidationError
from tornado import web
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from satflow_ext.errors import BadRequest, SatflowError
from satflow_ext.models import ErrorBody, ErrorFrame, StreamFrame, StreamRequest, Subscribe, Unsubscribe, WireModel
from satflow_ext.validation_errors import convert_first_error

REQUEST_ADAPTER: TypeAdapter[StreamRequest] = TypeAdapter(StreamRequest)
MAX_REQUEST_LENGTH = 4096
"""Maximum characters of a request; the longest valid one has about 200."""

RESOURCES = {
    "runs": "satflow_ext:runs",
    "logs": "satflow_ext:runs",
    "cluster": "satflow_ext:clusters",
    "clusters": "satflow_ext:clusters",
}
StreamFrames: TypeAlias = Callable[[Subscribe], AsyncGenerator[StreamFrame, None]]
Send: TypeAlias = Callable[[StreamFrame], Awaitable[None]]
SubscriptionKey: TypeAlias = "tuple[str, str | None]"
log = logging.getLogger(__name__)
GLOBAL_TOPICS = ("runs", "clusters")
"""Topics that do not belong to one run."""
MAX_SUBSCRIPTIONS = 64
"""Maximum number of subscriptions of one tab; the sidebar and ten open runs have about twenty."""


class StreamHandler(WebSocketMixin, WebSocketHandler, JupyterHandler):
    """Accepts Subscribe and Unsubscribe, and sends frames. The mixin checks the origin, as for kernels."""

    subscriptions: Subscriptions

    def initialize(self, stream_frames: StreamFrames) -> None:
        """Keep the source of frames of this server."""
        self._stream_frames = stream_frames

    async def prepare(self) -> None:  # type: ignore[override]  # as APIHandler does
        """Reject unauthenticated requests, on every verb."""
        await super().prepare()
        if not self.current_user:
            raise web.HTTPError(HTTPStatus.FORBIDDEN)

    @ws_authenticated
    @authorized(action="read", resource="satflow_ext:runs")
    async def get(self) -> None:  # type: ignore[override]  # Tornado types it by Any
        """Open the socket."""
        await super().get()

    def open(self) -> None:
        """Accept requests."""
        super().open()
        self.subscriptions = Subscriptions(self._stream_frames, self.send)

    async def on_message(self, message: str | bytes) -> None:
        """Handle one request; an invalid one is answered by an ErrorFrame and has no effect."""
        try:
            request = _parse_request(message)
            if isinstance(request, Subscribe):
                await self._check_allowed(request)
                self.subscriptions.subscribe(request)
            else:
                self.subscriptions.unsubscribe(request)
        except SatflowError as error:
            await self.send(ErrorFrame(type="error.v1", topic=None, run_id=None, error=ErrorBody.from_error(error)))

    def on_close(self) -> None:
        """Cancel all subscriptions of this socket."""
        super().on_close()
        if hasattr(self, "subscriptions"):
            self.subscriptions.close()

    def on_pong(self, data: bytes) -> None:
        """Record activity if the browser, which has just answered, follows a run that has not ended."""
        super().on_pong(data)  # type: ignore[no-untyped-call]  # of the mixin
        if self.subscriptions.follow_run():
            self.settings["satflow_ext_last_activity"] = datetime.now(timezone.utc)

    async def send(self, frame: WireModel) -> None:
        """Send a frame and wait until the network has accepted it, so that a blocked browser delays only itself."""
        await self.write_message(frame.model_dump_json())

    async def _check_allowed(self, request: Subscribe) -> None:
        resource = RESOURCES[request.topic]
        if not await ensure_async(self.authorizer.is_authorized(self, self.current_user, "read", resource)):
            raise BadRequest(f"You may not read {resource}.", field="topic")


def _parse_request(message: str | bytes) -> StreamRequest:
    if len(message) > MAX_REQUEST_LENGTH:
        raise BadRequest(f"The request exceeds {MAX_REQUEST_LENGTH} characters.")
    try:
        return REQUEST_ADAPTER.validate_json(message)
    except ValidationError as error:
        raise convert_first_error(error) from None


class Subscriptions:
    """The subscriptions of one websocket.

    Args:
        stream_frames: returns the frames of a request.
        send: sends a frame, and returns when the network has accepted it.
    """

    def __init__(self, stream_frames: StreamFrames, send: Send) -> None:
        self._stream_frames = stream_frames
        self._send = send
        self._tasks: dict[SubscriptionKey, asyncio.Task[None]] = {}

    def subscribe(self, request: Subscribe) -> None:
        """Subscribe, or subscribe again with another cursor.

        Raises:
            BadRequest: the topic needs a run, or there are too many subscriptions.
        """
        key = _make_key(request)
        self._cancel_task(key)
        if len(self._tasks) >= MAX_SUBSCRIPTIONS:
            raise BadRequest(
                f"A browser tab can have at most {MAX_SUBSCRIPTIONS} subscriptions.", fix="Close some runs."
            )
        task = asyncio.create_task(self._send_frames(request))
        self._tasks[key] = task
        task.add_done_callback(lambda done: self._remove_task(key, done))

    def unsubscribe(self, request: Unsubscribe) -> None:
        """Unsubscribe; no effect without a subscription."""
        self._cancel_task(_make_key(request))

    def follow_run(self) -> bool:
        """Return whether they include the log of a run that has not ended."""
        return any(topic == "logs" for topic, _ in self._tasks)

    def close(self) -> None:
        """Cancel all subscriptions."""
        for key in list(self._tasks):
            self._cancel_task(key)

    async def _send_frames(self, request: Subscribe) -> None:
        try:
            async with aclosing(self._stream_frames(request)) as frames:
                async for frame in frames:
                    await self._send(frame)
        except SatflowError as error:
            await self._send_error(request, error)
        except WebSocketClosedError:
            # The browser has disconnected; `close` follows.
            pass
        except Exception:  # the boundary of a subscription: the browser must be notified that no frame will follow
            log.exception("The subscription to %s of run %s failed.", request.topic, request.run_id)
            await self._send_error(
                request, SatflowError("An unexpected error occurred in the Jupyter server; see its log.")
            )

    async def _send_error(self, request: Subscribe, error: SatflowError) -> None:
        frame = ErrorFrame(
            type="error.v1", topic=request.topic, run_id=request.run_id, error=ErrorBody.from_error(error)
        )
        with suppress(WebSocketClosedError):
            await self._send(frame)

    def _cancel_task(self, key: SubscriptionKey) -> None:
        task = self._tasks.pop(key, None)
        if task is not None:
            task.cancel()

    def _remove_task(self, key: SubscriptionKey, done: asyncio.Task[None]) -> None:
        if self._tasks.get(key) is done:
            del self._tasks[key]


def _make_key(request: Subscribe | Unsubscribe) -> SubscriptionKey:
    if request.topic in GLOBAL_TOPICS:
        return request.topic, None
    if request.run_id is None:
        raise BadRequest(f"The topic {request.topic!r} needs the id of a run.", field="run_id")
    return request.topic, request.run_id
