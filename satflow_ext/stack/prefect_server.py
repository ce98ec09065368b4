"""A Prefect server that queues its SQLite transactions, rests while idle, and listens on a socket that another process holds.

`python -m satflow_ext.stack.prefect_server --fd DESCRIPTOR [--prepare DATABASE]` serves on an inherited socket: while this
process restarts, the supervisor holds the port, so that no other user can listen there and receive credentials. With `--prepare`
it prepares its SQLite database first. Without `--fd` the arguments are those of `prefect server start`.

Prefect begins most transactions as deferred. SQLite immediately refuses a transaction that has read and then writes after another
one has written, regardless of the busy timeout: the server answers 503, and each of a client's few retries may fail in the same
way. Transactions that begin as writers wait for each other (docs/decisions/0025-one-writer-at-a-time.md).

An event for a subscriber that is busy waits for it, where Prefect would drop it: a run with thousands of short tasks has more
events than the server records in the meantime.

Prefect's libraries check for work many times a second. Here they are woken, or check less often
(docs/decisions/0035-start-and-idle.md).
"""

from __future__ import annotations

import asyncio
import runpy
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from contextvars import ContextVar
from datetime import timedelta
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary, WeakSet

import uvicorn
from prefect.server.api import server
from prefect.server.database.configurations import AioSqliteConfiguration
from prefect.server.utilities.messaging import memory
from prefect.settings import get_current_settings
from starlette.responses import JSONResponse
from starlette.websockets import WebSocketClose

from satflow_ext.bounded_listener import BoundedListener
from satflow_ext.settings import load_settings
from satflow_ext.stack.database_template import prepare_database

if TYPE_CHECKING:
    import socket
    from types import FrameType

    from sqlalchemy.ext.asyncio import AsyncSession
    from starlette.types import ASGIApp, Receive, Scope, Send

DATE_PAUSE = 1.0
"""Seconds between two updates of the `date` header."""

DOCKET_HEARTBEAT = timedelta(seconds=30)
"""Interval at which the server's queue of background tasks records its only worker."""

DOCKET_POLL = timedelta(seconds=10)
"""Time that the worker waits for a background task; a new one wakes it."""

DOCKET_RESOLUTION = timedelta(seconds=0.5)
"""Interval at which due background tasks are started, a fraction of the shortest interval of Prefect's services."""

SUBSCRIBER_PATIENCE = 60.0
"""Seconds that an event waits for a subscriber whose queue of 10,000 events is full."""

SUBSCRIPTION_PAUSE = 1.0
"""Seconds between two looks for a cancelled background task. Prefect cancels none."""

Transaction = TypeVar("Transaction")

UVICORN_PING_SECONDS = 20.0
"""uvicorn's own default, which Prefect 3.6 cannot change."""

_transaction_locks: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()
_inside_transaction: ContextVar[bool] = ContextVar("inside a transaction", default=False)


def main() -> None:
    """Serve until a signal ends the process."""
    serialize_transactions()
    slow_down_docket()
    wait_for_subscribers()
    if sys.argv[1] == "--fd":
        if "--prepare" in sys.argv:
            prepare_database(Path(sys.argv[4]), load_settings())
        serve_api(BoundedListener(int(sys.argv[2])))
        return
    sys.argv = ["prefect", "server", "start", *sys.argv[1:]]
    runpy.run_module("prefect", run_name="__main__", alter_sys=True)


def serve_api(listener: socket.socket) -> None:
    """Serve only the Prefect API, on a socket that is listening already.

    The options come from the same settings that `prefect server start` uses.
    """
    settings = get_current_settings().server
    configuration = uvicorn.Config(
        ApiOnlyApp(server.create_app(final=True)),
        loop="asyncio",  # uvloop would bypass the listener's own `accept`
        timeout_keep_alive=settings.api.keepalive_timeout,
        ws_ping_interval=getattr(settings.api, "websocket_ping_interval", UVICORN_PING_SECONDS),
        ws_ping_timeout=getattr(settings.api, "websocket_ping_timeout", UVICORN_PING_SECONDS),
        log_level=settings.logging_level.lower(),
        server_header=False,
    )
    IdleServer(configuration).run(sockets=[listener])


class IdleServer(uvicorn.Server):
    """A server that waits for a signal to exit, instead of checking for one ten times a second."""

    async def main_loop(self) -> None:
        """Wait until a signal ends the server."""
        self._loop, self._wake = asyncio.get_running_loop(), asyncio.Event()
        while not await self.on_tick(0):  # also sets the header, and returns whether to exit
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._wake.wait(), DATE_PAUSE)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Handle a signal; it may arrive before the server has started."""
        super().handle_exit(sig, frame)
        if hasattr(self, "_loop"):
            self._loop.call_soon_threadsafe(self._wake.set)


class ApiOnlyApp:
    """ASGI application that passes on only requests below `/api`, which need the credential.

    Prefect also serves its documentation and the list of its routes without a credential.

    Args:
        app: Prefect's application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, serve one websocket, or run the application's startup and shutdown."""
        if scope["type"] == "lifespan" or scope["path"].startswith("/api/"):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)
        else:
            await JSONResponse({"detail": "Not Found"}, status_code=404)(scope, receive, send)


def slow_down_docket() -> None:
    """Make the server's queue of background tasks check less often. It has one worker, in this process.

    Servers of Prefect versions with another queue stay as they are.
    """
    try:
        from burner_redis import PubSub
        from docket import Docket, Worker
        from prefect.server.api import background_workers
    except ImportError:
        return
    server.Docket = partial(Docket, heartbeat_interval=DOCKET_HEARTBEAT)  # type: ignore[attr-defined, assignment]
    background_workers.Worker = partial(  # type: ignore[attr-defined, assignment]
        Worker, minimum_check_interval=DOCKET_POLL, scheduling_resolution=DOCKET_RESOLUTION
    )
    read = PubSub.get_message

    async def get_message(self: Any, ignore_subscribe_messages: bool = False, timeout: float | None = 0.0) -> Any:
        """Look for a message without a thread that waits for it."""
        message = await read(self, ignore_subscribe_messages, timeout=0.0)
        if message is None and timeout != 0.0:
            await asyncio.sleep(SUBSCRIPTION_PAUSE)
        return message

    PubSub.get_message = get_message


def wait_for_subscribers() -> None:
    """Make an event wait while the queue of a subscriber is full. Prefect drops it, and a task run then stays Pending forever.

    A publisher waits at most `SUBSCRIBER_PATIENCE` seconds for a subscriber that takes nothing; from then on, events for it are
    dropped until it takes one. An event of the server's own from inside a transaction does not wait: the subscriber may need the
    database before it can take one.
    """
    deliver = memory.Subscription.deliver
    stuck: WeakSet[memory.Subscription] = WeakSet()

    @wraps(deliver)
    async def deliver_or_wait(self: memory.Subscription, message: memory.MemoryMessage) -> None:
        if not self._queue.full():
            stuck.discard(self)
        elif self not in stuck and not _inside_transaction.get():
            try:
                await asyncio.wait_for(self._queue.put(message), SUBSCRIBER_PATIENCE)
            except asyncio.TimeoutError:
                stuck.add(self)
            else:
                await memory.update_metric(self.topic.name, "published")
                return
        await deliver(self, message)

    memory.Subscription.deliver = deliver_or_wait  # type: ignore[method-assign]


def serialize_transactions() -> None:
    """Make every SQLite transaction of this process begin as a writer, in the order of the requests.

    Code that only reads does not begin a transaction.
    """
    begin = AioSqliteConfiguration.begin_transaction

    @wraps(begin)
    def begin_to_write(self: Any, session: AsyncSession, with_for_update: bool = False) -> Any:
        return _queued_transaction(begin(self, session, with_for_update=True))

    AioSqliteConfiguration.begin_transaction = begin_to_write  # type: ignore[method-assign]


@asynccontextmanager
async def _queued_transaction(transaction: AbstractAsyncContextManager[Transaction]) -> AsyncIterator[Transaction]:
    """Run transactions first come, first served: SQLite itself retries waiting ones at intervals, so that some wait long."""
    if _inside_transaction.get():  # a nested transaction would wait for itself
        async with transaction as begun:
            yield begun
        return
    async with _transaction_locks.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
        token = _inside_transaction.set(True)
        try:
            async with transaction as begun:
                yield begun
        finally:
            _inside_transaction.reset(token)


if __name__ == "__main__":
    main()
