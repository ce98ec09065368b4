"""What one browser tab has subscribed to, each topic a task of its own."""

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
"""Topics that are of no run."""
MOST = 64
"""Subscriptions of one tab; the sidebar and ten open runs have some twenty."""


class Subscriptions:
    """The subscriptions of one websocket.

    Args:
        managers: know the facts.
        send: sends a frame, and returns when the network has taken it.
    """

    def __init__(self, managers: Managers, send: Send) -> None:
        self._managers = managers
        self._send = send
        self._tasks: dict[Key, asyncio.Task[None]] = {}

    def begin(self, request: Subscribe) -> None:
        """Subscribe, or subscribe anew with another cursor.

        Raises:
            BadRequest: the topic needs a run, or there are too many.
        """
        key = _key(request)
        self._cancel(key)
        if len(self._tasks) >= MOST:
            raise BadRequest(f"A tab can subscribe to {MOST} things at once.", fix="Close some runs.")
        task = asyncio.create_task(self._run(request))
        self._tasks[key] = task
        task.add_done_callback(lambda done: self._forget(key, done))

    def end(self, request: Unsubscribe) -> None:
        """Unsubscribe; what was not subscribed to stays so."""
        self._cancel(_key(request))

    def close(self) -> None:
        """End all."""
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
            # The browser has gone; `close` follows.
            pass
        except Exception:  # the edge of a subscription: the browser must hear that nothing more will come
            log.exception("The subscription to %s of run %s failed.", request.topic, request.run_id)
            await self._tell(request, SatflowError("Something went wrong in the Jupyter server; its log says what."))

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
        raise BadRequest(f"The topic {request.topic!r} needs a run.", field="run_id")
    return request.topic, request.run_id
