"""Waiting for what only looking can tell."""

from __future__ import annotations

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
    while not (value := read()):
        assert time.monotonic() < deadline, f"never came true: {what}"
        time.sleep(0.1)
    return value
