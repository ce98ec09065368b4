"""Event loops for async tasks, kept with a Prefect client each: to make those anew takes longer than most tasks."""

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
    """Runs a coroutine as `asyncio.run` does, in the thread that asks, on a loop that another may have used before."""

    def __init__(self) -> None:
        self._free: list[_Kept] = []
        self._lock = threading.Lock()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """What the coroutine returns; what it has left running is cancelled."""
        with self._lock:
            kept = self._free.pop() if self._free else _Kept(asyncio.new_event_loop())
        try:
            return kept.loop.run_until_complete(_with_client(kept, coroutine))
        finally:
            _end_the_rest(kept.loop)
            with self._lock:
                self._free.append(kept)

    def close(self) -> None:
        """Close clients and loops; nothing runs on them any more."""
        with self._lock:
            free, self._free = self._free, []
        for kept in free:
            if kept.context is not None:
                kept.loop.run_until_complete(kept.context.client.__aexit__(None, None, None))
            kept.loop.close()


async def _with_client(kept: _Kept, coroutine: Coroutine[Any, Any, T]) -> T:
    """The engine takes the client of the context that it finds, where that is of its own loop."""
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
