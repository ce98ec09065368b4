"""Waiting for what only looking can tell."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")


def eventually(read: Callable[[], Value], what: str = "it", seconds: float = 60) -> Value:
    """The first value of `read()` that is true.

    Args:
        read: looks.
        what: is waited for, as a failure says it.
        seconds: in which it has to come.
    """
    deadline = time.monotonic() + seconds
    while True:
        begun = time.monotonic()
        if value := read():
            return value
        looked = time.monotonic() - begun
        assert begun < deadline, f"waited {seconds} s for {what}"
        time.sleep(max(0.05, looked))  # looking must not take the processor time that it waits for


async def eventually_async(read: Callable[[], Value], what: str = "it", seconds: float = 300) -> Value:
    """The same while other tasks of this event loop go on."""
    deadline = time.monotonic() + seconds
    while not (value := read()):
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        await asyncio.sleep(0.02)
    return value
