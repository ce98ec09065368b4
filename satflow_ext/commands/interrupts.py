"""SIGINT (Ctrl-C) and SIGTERM in a command: an orderly end within two seconds, with the exit code 130 or 143.

The first signal cancels the running coroutine, or raises `Interrupted` if none is running, so that `finally` blocks end kernels
and release leases. A second signal ends the process at once. So does `GRACE_SECONDS` if something cannot be cancelled, such as a
thread that waits for a disk.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, TypeVar

from satflow_ext.errors import SatflowError

GRACE_SECONDS = 1.8
"""Maximum seconds between a signal and the end of the process."""

Result = TypeVar("Result")

_received: int | None = None
_cancel: Callable[[], object] | None = None
_last_resorts: list[Callable[[], object]] = []


class Interrupted(KeyboardInterrupt):
    """SIGINT or SIGTERM ended the command."""


def install_handlers() -> None:
    """Install the handlers for SIGINT and SIGTERM."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _handle_signal)


def exit_code() -> int | None:
    """Return the exit code after a signal, by the convention of shells; None if no signal was received."""
    return None if _received is None else 128 + _received


def run(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine as `asyncio.run` does, and cancel it on a signal.

    Raises:
        Interrupted: a signal was received.
    """
    try:
        return asyncio.run(_cancellable(coroutine))
    except (asyncio.CancelledError, SatflowError):
        if _received is None:
            raise
        raise Interrupted from None  # errors caused by the cancellation do not concern the user


@contextmanager
def last_resort(end: Callable[[], object]) -> Iterator[None]:
    """Call `end` if the process has to end before the block does. `end` must not wait for anything."""
    _last_resorts.append(end)
    try:
        yield
    finally:
        _last_resorts.remove(end)


async def _cancellable(coroutine: Coroutine[Any, Any, Result]) -> Result:
    global _cancel
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    _cancel = lambda: loop.call_soon_threadsafe(task.cancel)  # noqa: E731
    try:
        if _received is not None:  # a signal was received before `_cancel` was set
            coroutine.close()
            raise asyncio.CancelledError
        return await coroutine
    finally:
        _cancel = None


def _handle_signal(number: int, _frame: FrameType | None) -> None:
    global _received
    _received = number
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, _end_now)
    timer = threading.Timer(GRACE_SECONDS, _end_now, (number, None))
    timer.daemon = True
    timer.start()
    if _cancel is None:
        raise Interrupted
    _cancel()


def _end_now(number: int, _frame: FrameType | None) -> None:
    for end in _last_resorts:
        with suppress(Exception):  # the process ends here, even if `end` fails
            end()
    os._exit(128 + number)
