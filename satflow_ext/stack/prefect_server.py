"""A Prefect server whose transactions on SQLite wait for their turn, on a listening socket that another process keeps.

`python -m satflow_ext.stack.prefect_server --fd DESCRIPTOR` serves on an inherited socket: while this process is started again,
the supervisor holds the port, and no other user can listen there and receive credentials. Without `--fd` the arguments are those
of `prefect server start`.

Prefect begins most of them deferred. One that has read, and wants to write after another one has written, is refused by SQLite
at once, whatever the busy time-out: the server answers 503, and each of a client's few attempts may hit another's turn. Begun as
writers, they wait for each other (docs/decisions/0025-one-writer-at-a-time.md).
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

_queues: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()
_inside: ContextVar[bool] = ContextVar("inside a transaction", default=False)


def main() -> None:
    """Serve until the end is asked for."""
    take_turns()
    if sys.argv[1] == "--fd":
        serve(BoundedListener(int(sys.argv[2])))
        return
    sys.argv = ["prefect", "server", "start", *sys.argv[1:]]
    runpy.run_module("prefect", run_name="__main__", alter_sys=True)


def serve(listener: socket.socket) -> None:
    """Serve the Prefect API, and nothing else, on a socket that listens already.

    What `prefect server start` takes from its settings is taken from the same settings here.
    """
    import uvicorn
    from prefect.server.api.server import create_app
    from prefect.settings import get_current_settings

    server = get_current_settings().server
    configuration = uvicorn.Config(
        OnlyTheApi(create_app(final=True)),
        loop="asyncio",  # uvloop would accept connections by itself
        timeout_keep_alive=server.api.keepalive_timeout,
        ws_ping_interval=server.api.websocket_ping_interval,
        ws_ping_timeout=server.api.websocket_ping_timeout,
        log_level=server.logging_level.lower(),
        server_header=False,
    )
    uvicorn.Server(configuration).run(sockets=[listener])


class OnlyTheApi:
    """Answer requests below `/api`, which need the credential, and no others.

    Prefect also serves its documentation and the list of its routes, without a credential.

    Args:
        app: Prefect's application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or serve one websocket, or run the application's start and end."""
        if scope["type"] == "lifespan" or scope["path"].startswith("/api/"):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)
        else:
            await JSONResponse({"detail": "Not Found"}, status_code=404)(scope, receive, send)


def take_turns() -> None:
    """Let every transaction of this process on SQLite begin as one that writes, in the order in which they ask for it.

    What only reads begins none.
    """
    begin = AioSqliteConfiguration.begin_transaction

    @wraps(begin)
    def begin_to_write(self: Any, session: AsyncSession, with_for_update: bool = False) -> Any:
        return _in_turn(begin(self, session, with_for_update=True))

    AioSqliteConfiguration.begin_transaction = begin_to_write  # type: ignore[method-assign]


@asynccontextmanager
async def _in_turn(transaction: AbstractAsyncContextManager[Transaction]) -> AsyncIterator[Transaction]:
    """First come, first served: those who wait in SQLite try again at intervals, and the unlucky ones wait long."""
    if _inside.get():  # it would wait for itself
        async with transaction as begun:
            yield begun
        return
    async with _queues.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
        token = _inside.set(True)
        try:
            async with transaction as begun:
                yield begun
        finally:
            _inside.reset(token)


if __name__ == "__main__":
    main()
