"""A Prefect server that queues its SQLite transactions and listens on a socket that another process holds.

`python -m satflow_ext.stack.prefect_server --fd DESCRIPTOR` serves on an inherited socket: while this process restarts, the
supervisor holds the port, so that no other user can listen there and receive credentials. Without `--fd` the arguments are
those of `prefect server start`.

Prefect begins most transactions as deferred. SQLite immediately refuses a transaction that has read and then writes after another
one has written, regardless of the busy timeout: the server answers 503, and each of a client's few retries may fail in the same
way. Transactions that begin as writers wait for each other (docs/decisions/0025-one-writer-at-a-time.md).
"""

from __future__ import annotations

import asyncio
import runpy
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

from prefect.server.database.configurations import AioSqliteConfiguration
from starlette.responses import JSONResponse
from starlette.websockets import WebSocketClose

from satflow_ext.bounded_listener import BoundedListener

if TYPE_CHECKING:
    import socket

    from sqlalchemy.ext.asyncio import AsyncSession
    from starlette.types import ASGIApp, Receive, Scope, Send

Transaction = TypeVar("Transaction")

_transaction_locks: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()
_inside_transaction: ContextVar[bool] = ContextVar("inside a transaction", default=False)


def main() -> None:
    """Serve until a signal ends the process."""
    serialize_transactions()
    if sys.argv[1] == "--fd":
        serve_api(BoundedListener(int(sys.argv[2])))
        return
    sys.argv = ["prefect", "server", "start", *sys.argv[1:]]
    runpy.run_module("prefect", run_name="__main__", alter_sys=True)


def serve_api(listener: socket.socket) -> None:
    """Serve only the Prefect API, on a socket that is listening already.

    The options come from the same settings that `prefect server start` uses.
    """
    import uvicorn
    from prefect.server.api.server import create_app
    from prefect.settings import get_current_settings

    server = get_current_settings().server
    configuration = uvicorn.Config(
        ApiOnlyApp(create_app(final=True)),
        loop="asyncio",  # uvloop would bypass the listener's own `accept`
        timeout_keep_alive=server.api.keepalive_timeout,
        ws_ping_interval=server.api.websocket_ping_interval,
        ws_ping_timeout=server.api.websocket_ping_timeout,
        log_level=server.logging_level.lower(),
        server_header=False,
    )
    uvicorn.Server(configuration).run(sockets=[listener])


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
