"""Pass the reasons for missing Dask workers from cluster maintenance to the reporter of the cluster's status."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_receiver: ContextVar[Callable[[str | None], None]] = ContextVar("hearing", default=lambda reason: None)


@contextmanager
def receive_reasons(receiver: Callable[[str | None], None]) -> Iterator[None]:
    """Receive reasons for clusters created in the block. Threads started in the block keep reporting after it.

    Args:
        receiver: called with the reason why Dask workers are missing, or None if none are missing or the reason is unknown.
    """
    token = _receiver.set(receiver)
    try:
        yield
    finally:
        _receiver.reset(token)


def report_reason(reason: str | None) -> None:
    """Report the reason to the current receiver."""
    _receiver.get()(reason)
