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
class _PooledLoop:
    loop: asyncio.AbstractEventLoop
    context: AsyncClientContext | None = None


class EventLoopPool:
    """Runs coroutines in the calling thread like `asyncio.run`, but reuses event loops."""

    def __init__(self) -> None:
        self._free: list[_PooledLoop] = []
        self._lock = threading.Lock()

    def run_coroutine(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine and return its result. Tasks that it left running are cancelled."""
        with self._lock:
            kept = self._free.pop() if self._free else _PooledLoop(asyncio.new_event_loop())
        try:
            return kept.loop.run_until_complete(_run_with_client(kept, coroutine))
        finally:
            _cancel_remaining_tasks(kept.loop)
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


async def _run_with_client(pooled: _PooledLoop, coroutine: Coroutine[Any, Any, T]) -> T:
    """Await a coroutine inside the loop's client context. The engine uses the client of a context in its own loop."""
    if pooled.context is None:
        context = AsyncClientContext()
        await context.client.__aenter__()
        pooled.context = context
    with pooled.context:
        return await coroutine


def _cancel_remaining_tasks(loop: asyncio.AbstractEventLoop) -> None:
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())
