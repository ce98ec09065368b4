"""Writes a flow as cloudpickle bytes, with what stock cloudpickle sends by a name that no other process knows.

Nothing of SatFlow is needed to read the bytes: every constructor named in them is Python's or cloudpickle's.
"""

from __future__ import annotations

import dataclasses
import functools
import sys
import types
import typing
from typing import IO, Any

import cloudpickle

from satflow_ext.kernel.carried import Carrier, rebuild
from satflow_ext.kernel.code_facts import annotation_names
from satflow_ext.kernel.local_modules import by_value, is_local, is_local_name

PROTOCOL = 5
LOADER_NAMES = frozenset({"__builtins__", "__spec__", "__loader__", "__cached__"})


class TooLarge(Exception):
    """More bytes than allowed were about to be written."""


class CappedFile:
    """A file that refuses to grow beyond a limit, in bytes."""

    def __init__(self, file: IO[bytes], limit: int) -> None:
        self._file = file
        self._limit = limit
        self.size = 0

    def write(self, data: bytes | memoryview) -> int:
        """Write all of it or nothing.

        Raises:
            TooLarge: it would not fit.
        """
        size = memoryview(data).nbytes
        self.size += size
        if self.size > self._limit:
            raise TooLarge
        self._file.write(data)
        return size


class FlowPickler(cloudpickle.CloudPickler):  # type: ignore[misc]  # cloudpickle has no types
    """cloudpickle, and the few things that it sends by name although they live in the notebook."""

    def reducer_override(self, obj: Any) -> Any:
        """How to rebuild `obj`, NotImplemented where Python's own way is right."""
        kind = type(obj)
        if kind is Carrier:
            return rebuild(obj)
        if kind is types.ModuleType and is_local(obj):
            return _module(obj)
        if kind is types.FunctionType:
            return _with_annotations(obj, super().reducer_override(obj))
        if kind in _SENTINELS:
            return _SENTINELS[kind]
        if kind is functools.cached_property:
            return functools.cached_property, (obj.func,), {"attrname": obj.attrname, "__doc__": obj.__doc__}
        if kind in _REBUILT and _lives_here(obj):
            return _REBUILT[kind](obj)
        return super().reducer_override(obj)


def dump(value: object, file: IO[bytes], limit: int) -> int:
    """Pickle with local modules by value; gives the size in bytes.

    Raises:
        TooLarge: more than `limit` bytes.
    """
    capped = CappedFile(file, limit)
    with by_value():
        FlowPickler(capped, protocol=PROTOCOL).dump(value)
    return capped.size


def _lives_here(value: object) -> bool:
    """Whether its name leads into the notebook, a local module, or nowhere."""
    module = getattr(value, "__module__", None)
    return module == "__main__" or is_local_name(module) or module not in sys.modules


def _with_annotations(function: types.FunctionType, reduced: Any) -> Any:
    """Add to what cloudpickle takes, the globals that the code uses, those of annotations that are only text."""
    if isinstance(reduced, tuple) and (missing := annotation_names(function) & function.__globals__.keys()):
        _, slots = reduced[2]
        slots["__globals__"].update((name, function.__globals__[name]) for name in sorted(missing))
    return reduced


def _module(module: types.ModuleType) -> Any:
    """State apart from creation, so that modules may refer to each other in circles."""
    state = {name: value for name, value in vars(module).items() if name not in LOADER_NAMES}
    return types.ModuleType, (module.__name__,), state


def _lru_cache(cached: Any) -> Any:
    """The cached function with an empty cache."""
    settings = cached.cache_parameters()
    rebuild = type(cached), (cached.__wrapped__, settings["maxsize"], settings["typed"], functools._CacheInfo)
    state = {name: value for name, value in vars(cached).items() if name != "cache_parameters"}
    return *rebuild, state


def _new_type(new_type: Any) -> Any:
    return typing.NewType, (new_type.__name__, new_type.__supertype__), {"__module__": new_type.__module__}


def _named(variable: Any) -> Any:
    return type(variable), (variable.__name__,)


_SENTINELS = {
    type(dataclasses.MISSING): "MISSING",
    type(dataclasses.KW_ONLY): "KW_ONLY",
    type(dataclasses._HAS_DEFAULT_FACTORY): "_HAS_DEFAULT_FACTORY",  # type: ignore[attr-defined]
}
"""Single objects that are compared by identity; cloudpickle would make new ones. Pickle finds them by these names."""

_REBUILT: dict[type, Any] = {
    type(functools.lru_cache(len)): _lru_cache,
    typing.NewType: _new_type,
    typing.ParamSpec: _named,
}
