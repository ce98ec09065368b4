"""Functions made by `functools.singledispatch`: they hold a cache that cannot be pickled and can be dropped."""

from __future__ import annotations

import functools
import types
from typing import Any

_DISPATCH_CODE = functools.singledispatch(len).__code__  # type: ignore[attr-defined]  # it is a function


def is_dispatch(function: types.FunctionType) -> bool:
    """Return whether `functools.singledispatch` made a function."""
    return function.__code__ is _DISPATCH_CODE


def registered_implementations(function: Any) -> list[tuple[type, Any]]:
    """Return (class, function) for each registered implementation, including the default."""
    return list(function.registry.items())
