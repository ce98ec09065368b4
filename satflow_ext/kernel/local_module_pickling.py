"""A local module as it is where a flow runs: made of what was pickled, not imported.

This file travels by value with every module, so it needs nothing of SatFlow. Stock cloudpickle sends such a module on, to Dask
workers and to processes, by the same way.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any

LOADER_NAMES = frozenset({"__builtins__", "__spec__", "__loader__", "__cached__"})


class TravellingModule(types.ModuleType):
    """A module whose attributes are the globals of its functions, as in any module, so that both see every change.

    Where a function is rebuilt, it gets a new dictionary as its globals; those of one pickle that had the same one get the same
    one. A function of no use, the *witness*, therefore brings the module's dictionary along.
    """

    def __getattr__(self, name: str) -> Any:
        namespace = self._satflow_namespace()
        if name in namespace:
            return namespace[name]
        if "__getattr__" in namespace:  # of the module itself, PEP 562
            return namespace["__getattr__"](name)
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        self._satflow_namespace()[name] = value

    def __delattr__(self, name: str) -> None:
        if name not in self._satflow_namespace():
            raise AttributeError(name)
        del self._satflow_namespace()[name]

    def __dir__(self) -> Iterator[str]:
        return iter(sorted(self._satflow_namespace()))

    def __reduce__(self) -> Any:
        return reduced(self, self._satflow_namespace(), type(self))

    def __setstate__(self, state: tuple[types.FunctionType, dict[str, Any]]) -> None:
        witness, members = state
        namespace = witness.__globals__
        namespace.update(members)
        own = super().__getattribute__("__dict__")
        for name in own.keys() - {"__name__", "__spec__", "__loader__"}:  # the import system asks for these
            del own[name]
        own["_satflow_witness"] = witness

    def _satflow_namespace(self) -> dict[str, Any]:
        own: dict[str, Any] = super().__getattribute__("__dict__")
        witness = own.get("_satflow_witness")
        return own if witness is None else witness.__globals__


def reduced(module: types.ModuleType, namespace: dict[str, Any], kind: type[types.ModuleType]) -> Any:
    """How to rebuild a module: state apart from creation, so that modules may refer to each other in circles.

    Args:
        module: the module.
        namespace: its attributes, the very dictionary that its functions have as globals.
        kind: the class to make it of.
    """
    members = {name: value for name, value in namespace.items() if name not in LOADER_NAMES}
    witness = types.FunctionType((lambda: None).__code__, namespace, "_satflow_witness")
    return kind, (module.__name__,), (witness, members)


def fill_enum(cls: Any, parts: tuple[Any, Any, dict[str, dict[str, Any]]]) -> None:
    """Fill an enumeration as cloudpickle does, then give its members the attributes that their `__init__` once set."""
    fill, state, attributes = parts
    fill(cls, state)
    for name, own in attributes.items():
        vars(cls.__members__[name]).update(own)


def fill_dispatch(function: Any, implementations: list[tuple[type, Any]]) -> None:
    """Register the implementations of a `functools.singledispatch` function."""
    for cls, implementation in implementations:
        function.register(cls, implementation)
