"""`python -m satflow_ext.stack.prefect_server …`: `prefect server start …`, whose transactions on SQLite wait for their turn.

Prefect begins most of them deferred. One that has read, and wants to write after another one has written, is refused by SQLite
at once, whatever the busy time-out: the server answers 503, and each of a client's few attempts may hit another's turn. Begun as
writers, they wait for each other (docs/decisions/0025-one-writer-at-a-time.md).
"""

from __future__ import annotations

import runpy
import sys
from functools import wraps
from typing import TYPE_CHECKING, Any

from prefect.server.database.configurations import AioSqliteConfiguration

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession


def main() -> None:
    """Serve until the end is asked for."""
    take_turns()
    sys.argv = ["prefect", "server", "start", *sys.argv[1:]]
    runpy.run_module("prefect", run_name="__main__", alter_sys=True)


def take_turns() -> None:
    """Let every transaction of this process on SQLite begin as one that writes. What only reads begins none."""
    begin = AioSqliteConfiguration.begin_transaction

    @wraps(begin)
    def begin_to_write(self: Any, session: AsyncSession, with_for_update: bool = False) -> Any:
        return begin(self, session, with_for_update=True)

    AioSqliteConfiguration.begin_transaction = begin_to_write  # type: ignore[method-assign]


if __name__ == "__main__":
    main()
