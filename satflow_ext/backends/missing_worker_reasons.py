"""Pass the reasons for missing Dask workers from cluster maintenance to the reporter of the cluster's status."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_hearing: ContextVar[Callable[[str | None], None]] = ContextVar("hearing", default=lambda why: None)


@contextmanager
def hearing(hear: Callable[[str | None], None]) -> Iterator[None]:
    """Receive reasons for clusters created in the block. Threads started in the block keep reporting after it.

    Args:
        hear: called with the reason why Dask workers are missing, or None if none are missing or the reason is unknown.
    """
    token = _hearing.set(hear)
    try:
        yield
    finally:
        _hearing.reset(token)


def say(why: str | None) -> None:
    """Report the reason to the current receiver."""
    _hearing.get()(why)
