"""The subscriptions of one browser tab, each in a separate task."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from typing import TypeAlias

from tornado.websocket import WebSocketClosedError

from satflow_ext.errors import BadRequest, SatflowError
from satflow_ext.models import ErrorBody, ErrorFrame, StreamFrame, Subscribe, Unsubscribe
from satflow_ext.server.managers import Managers

Send: TypeAlias = Callable[[StreamFrame], Awaitable[None]]
SubscriptionKey: TypeAlias = "tuple[str, str | None]"

log = logging.getLogger(__name__)

GLOBAL_TOPICS = ("runs", "clusters")
"""Topics that do not belong to one run."""
MAX_SUBSCRIPTIONS = 64
"""Maximum number of subscriptions of one tab; the sidebar and ten open runs have about twenty."""


class Subscriptions:
    """The subscriptions of one websocket.

    Args:
        managers: provide the frames.
        send: sends a frame, and returns when the network has accepted it.
    """

    def __init__(self, managers: Managers, send: Send) -> None:
        self._managers = managers
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

    def close(self) -> None:
        """Cancel all subscriptions."""
        for key in list(self._tasks):
            self._cancel_task(key)

    async def _send_frames(self, request: Subscribe) -> None:
        try:
            async with aclosing(self._managers.stream_frames(request)) as frames:
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
