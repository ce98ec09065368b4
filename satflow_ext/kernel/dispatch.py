"""Functions made by `functools.singledispatch`: they hold a cache that cannot be pickled, and need not be."""

from __future__ import annotations

import functools
import types
from typing import Any

_CODE = functools.singledispatch(len).__code__  # type: ignore[attr-defined]  # it is a function


def is_dispatch(function: types.FunctionType) -> bool:
    """Whether `functools.singledispatch` made that function."""
    return function.__code__ is _CODE


def implementations(function: Any) -> list[tuple[type, Any]]:
    """(class, function) of everything that is registered, the default one included."""
    return list(function.registry.items())
