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
Key: TypeAlias = "tuple[str, str | None]"

log = logging.getLogger(__name__)

OF_ALL = ("runs", "clusters")
"""Topics that do not belong to one run."""
MOST = 64
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
        self._tasks: dict[Key, asyncio.Task[None]] = {}

    def begin(self, request: Subscribe) -> None:
        """Subscribe, or subscribe again with another cursor.

        Raises:
            BadRequest: the topic needs a run, or there are too many subscriptions.
        """
        key = _key(request)
        self._cancel(key)
        if len(self._tasks) >= MOST:
            raise BadRequest(f"A browser tab can have at most {MOST} subscriptions.", fix="Close some runs.")
        task = asyncio.create_task(self._run(request))
        self._tasks[key] = task
        task.add_done_callback(lambda done: self._forget(key, done))

    def end(self, request: Unsubscribe) -> None:
        """Unsubscribe; no effect without a subscription."""
        self._cancel(_key(request))

    def close(self) -> None:
        """Cancel all subscriptions."""
        for key in list(self._tasks):
            self._cancel(key)

    async def _run(self, request: Subscribe) -> None:
        try:
            async with aclosing(self._managers.facts(request)) as frames:
                async for frame in frames:
                    await self._send(frame)
        except SatflowError as error:
            await self._tell(request, error)
        except WebSocketClosedError:
            # The browser has disconnected; `close` follows.
            pass
        except Exception:  # the boundary of a subscription: the browser must be notified that no frame will follow
            log.exception("The subscription to %s of run %s failed.", request.topic, request.run_id)
            await self._tell(request, SatflowError("An unexpected error occurred in the Jupyter server; see its log."))

    async def _tell(self, request: Subscribe, error: SatflowError) -> None:
        frame = ErrorFrame(type="error.v1", topic=request.topic, run_id=request.run_id, error=ErrorBody.of(error))
        with suppress(WebSocketClosedError):
            await self._send(frame)

    def _cancel(self, key: Key) -> None:
        task = self._tasks.pop(key, None)
        if task is not None:
            task.cancel()

    def _forget(self, key: Key, done: asyncio.Task[None]) -> None:
        if self._tasks.get(key) is done:
            del self._tasks[key]


def _key(request: Subscribe | Unsubscribe) -> Key:
    if request.topic in OF_ALL:
        return request.topic, None
    if request.run_id is None:
        raise BadRequest(f"The topic {request.topic!r} needs the id of a run.", field="run_id")
    return request.topic, request.run_id
