"""The end of asyncio tasks that run until they are cancelled."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any


async def cancel_task(task: asyncio.Task[Any]) -> None:
    """Cancel a task and wait until it has ended. An exception with which it had ended before is raised."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
