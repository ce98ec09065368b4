"""Instances of subclasses of `property`, `classmethod` and `staticmethod`, which pickle refuses because of their C state.

The functions of this module are pickled by value with them, so loading them does not require SatFlow.
"""

from __future__ import annotations

from typing import Any


def descriptor_base(kind: type) -> type | None:
    """Return the built-in descriptor class from which a class without its own pickling methods is derived, else None."""
    base = next((each for each in (property, classmethod, staticmethod) if issubclass(kind, each)), None)
    own_pickling = any({"__reduce__", "__reduce_ex__"} & vars(each).keys() for each in kind.__mro__[:-1])
    return None if base is None or kind is base or own_pickling else base


def wrapped_functions(descriptor: Any) -> tuple[Any, ...]:
    """Return the arguments of the built-in descriptor."""
    if isinstance(descriptor, property):
        return descriptor.fget, descriptor.fset, descriptor.fdel
    return (descriptor.__func__,)


def reduce_descriptor(descriptor: Any, base: type) -> tuple[Any, ...]:
    """Return the reduction of a descriptor, which skips its `__init__`, since the original arguments are unavailable."""
    state = base, wrapped_functions(descriptor), dict(getattr(descriptor, "__dict__", {}))
    return base.__new__, (type(descriptor),), state, None, None, fill_descriptor


def fill_descriptor(descriptor: Any, state: tuple[Any, tuple[Any, ...], dict[str, Any]]) -> None:
    """Set the functions that the built-in descriptor wraps, and the attributes that the subclass added."""
    base, functions, attributes = state
    base.__init__(descriptor, *functions)
    if attributes:
        vars(descriptor).update(attributes)
