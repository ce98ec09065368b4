"""What is said of Dask workers that are missing, heard by whoever tells of the cluster's status."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_hearing: ContextVar[Callable[[str | None], None]] = ContextVar("hearing", default=lambda why: None)


@contextmanager
def hearing(hear: Callable[[str | None], None]) -> Iterator[None]:
    """Hear of a cluster that is made in the block, also after it: threads that begin in the block go on telling.

    Args:
        hear: told why Dask workers are missing, None where none are or nobody knows.
    """
    token = _hearing.set(hear)
    try:
        yield
    finally:
        _hearing.reset(token)


def say(why: str | None) -> None:
    """Tell it."""
    _hearing.get()(why)
