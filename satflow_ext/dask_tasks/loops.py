"""Pool of event loops for async tasks, each with a Prefect client. Creating them takes longer than most tasks run."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from prefect.context import AsyncClientContext

T = TypeVar("T")


@dataclass
class _Kept:
    loop: asyncio.AbstractEventLoop
    context: AsyncClientContext | None = None


class Loops:
    """Runs coroutines in the calling thread like `asyncio.run`, but reuses event loops."""

    def __init__(self) -> None:
        self._free: list[_Kept] = []
        self._lock = threading.Lock()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine and return its result. Tasks that it left running are cancelled."""
        with self._lock:
            kept = self._free.pop() if self._free else _Kept(asyncio.new_event_loop())
        try:
            return kept.loop.run_until_complete(_with_client(kept, coroutine))
        finally:
            _end_the_rest(kept.loop)
            with self._lock:
                self._free.append(kept)

    def close(self) -> None:
        """Close all clients and loops. No coroutine may be running."""
        with self._lock:
            free, self._free = self._free, []
        for kept in free:
            if kept.context is not None:
                kept.loop.run_until_complete(kept.context.client.__aexit__(None, None, None))
            kept.loop.close()


async def _with_client(kept: _Kept, coroutine: Coroutine[Any, Any, T]) -> T:
    """Await a coroutine inside the loop's client context. The engine uses the client of a context in its own loop."""
    if kept.context is None:
        context = AsyncClientContext()
        await context.client.__aenter__()
        kept.context = context
    with kept.context:
        return await coroutine


def _end_the_rest(loop: asyncio.AbstractEventLoop) -> None:
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())
