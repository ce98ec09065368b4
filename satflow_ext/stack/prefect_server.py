"""`python -m satflow_ext.stack.prefect_server …`: `prefect server start …`, whose transactions on SQLite wait for their turn.

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

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

Transaction = TypeVar("Transaction")

_queues: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()
_inside: ContextVar[bool] = ContextVar("inside a transaction", default=False)


def main() -> None:
    """Serve until the end is asked for."""
    take_turns()
    sys.argv = ["prefect", "server", "start", *sys.argv[1:]]
    runpy.run_module("prefect", run_name="__main__", alter_sys=True)


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
