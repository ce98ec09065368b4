"""The current process: its shell and namespace, its lease on the local stack, and blocking calls of coroutines."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from satflow_ext.endpoints import Endpoints, list_needed_services, resolve_endpoints
from satflow_ext.kernel.flow_discovery import Shell
from satflow_ext.settings import Settings

if TYPE_CHECKING:
    from satflow_ext.lease import Lease
    from satflow_ext.session import Session

T = TypeVar("T")


def get_shell() -> Shell | None:
    """Return the IPython shell; None in plain Python."""
    if "IPython" not in sys.modules:
        return None
    from IPython.core.getipython import get_ipython

    return get_ipython()


def namespace_of(shell: Shell | None) -> dict[str, object]:
    """Return the namespace of the notebook, or of the main program."""
    return shell.user_ns if shell is not None else vars(sys.modules["__main__"])


class _StackLease:
    """The lease of this process on the local stack. It is held so that runs continue while the notebook is open."""

    def __init__(self) -> None:
        self._lease: Lease | None = None

    def get_endpoints(self, settings: Settings) -> Endpoints:
        """Return the current endpoints. Start the local stack if the settings do not define all of them."""
        if not list_needed_services(settings):
            return resolve_endpoints(settings, None)
        from satflow_ext.lease import acquire_lease

        before, self._lease = self._lease, acquire_lease(settings, on_step=_print_step)
        if before is not None:
            before.close()
        return resolve_endpoints(settings, self._lease.record)


_STACK_LEASE = _StackLease()


def acquire_endpoints(settings: Settings) -> Endpoints:
    """Return the current endpoints. Take a lease on the local stack, if it is needed, that lasts as long as this process.

    Raises:
        StackFailed: the local stack is needed and failed to start.
    """
    return _STACK_LEASE.get_endpoints(settings)


def open_session(settings: Settings) -> Session:
    """Open a session. Take a lease on the local stack, if it is needed, that lasts as long as this process.

    Raises:
        StackFailed: the local stack is needed and failed to start.
    """
    from satflow_ext.session import OpenConnection, Session

    return Session(OpenConnection(settings, acquire_endpoints(settings)))


def _print_step(step: str) -> None:
    sys.stdout.write(f"{step}\n")


def run_coroutine(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in another thread, as a kernel's thread already runs an event loop. An interrupt cancels it."""
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[T]]] = Future()

    async def cancellable() -> T:
        task = asyncio.ensure_future(coroutine)
        started.set_result((asyncio.get_running_loop(), task))
        return await task

    with ThreadPoolExecutor(1, thread_name_prefix="satflow") as pool:
        waiting = pool.submit(asyncio.run, cancellable())
        try:
            return waiting.result()
        except KeyboardInterrupt:
            loop, task = started.result()
            with suppress(RuntimeError):  # the loop has just ended
                loop.call_soon_threadsafe(task.cancel)
            raise  # leaving the `with` block waits for the end of the coroutine
