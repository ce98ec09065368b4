"""This process: its shell, its names, its claim on the local stack, and waiting in it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from satflow_ext.endpoints import Endpoints, needed, resolve
from satflow_ext.kernel.flow_discovery import Shell
from satflow_ext.settings import Settings

if TYPE_CHECKING:
    from satflow_ext.lease import Lease

T = TypeVar("T")


def shell_here() -> Shell | None:
    """The IPython shell, None in plain Python."""
    if "IPython" not in sys.modules:
        return None
    from IPython.core.getipython import get_ipython

    return get_ipython()


def namespace_of(shell: Shell | None) -> dict[str, object]:
    """The names of the notebook, or of the program that runs."""
    return shell.user_ns if shell is not None else vars(sys.modules["__main__"])


class _Stack:
    """This process's claim on the local stack. Kept, so that runs go on while the notebook is open."""

    def __init__(self) -> None:
        self._lease: Lease | None = None

    def endpoints(self, settings: Settings) -> Endpoints:
        """Where things are now; starts the local stack where the settings leave something to it."""
        if not needed(settings):
            return resolve(settings, None)
        from satflow_ext.lease import acquire

        before, self._lease = self._lease, acquire(settings, on_step=_tell)
        if before is not None:
            before.close()
        return resolve(settings, self._lease.record)


_STACK = _Stack()


def endpoints_of(settings: Settings) -> Endpoints:
    """Where things are; takes a lease on the local stack that lasts as long as this process.

    Raises:
        StackFailed: the local stack is needed and does not start.
    """
    return _STACK.endpoints(settings)


def _tell(step: str) -> None:
    sys.stdout.write(f"{step}\n")


def wait_for(work: Coroutine[Any, Any, T]) -> T:
    """Run it in a thread of its own: a kernel's thread has an event loop already. An interrupt ends it before it goes on."""
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[T]]] = Future()

    async def cancellable() -> T:
        task = asyncio.ensure_future(work)
        started.set_result((asyncio.get_running_loop(), task))
        return await task

    with ThreadPoolExecutor(1, thread_name_prefix="satflow") as pool:
        waiting = pool.submit(asyncio.run, cancellable())
        try:
            return waiting.result()
        except KeyboardInterrupt:
            loop, task = started.result()
            with suppress(RuntimeError):  # it has just ended
                loop.call_soon_threadsafe(task.cancel)
            raise  # leaving the block waits for the end: nothing goes on unseen
