"""Pickling of local modules by value: a flow run rebuilds such a module from the pickle and does not import it.

This file is pickled by value with every module, so loading it does not require SatFlow. In a flow run, stock cloudpickle sends
the module to Dask workers and processes in the same way.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any

LOADER_NAMES = frozenset({"__builtins__", "__spec__", "__loader__", "__cached__"})


class PickledModule(types.ModuleType):
    """A module whose attributes are the globals of its functions, as in any module, so that both see every change.

    A rebuilt function gets a new dictionary as its globals; functions of one pickle that shared a dictionary share the new one.
    A placeholder function, `_satflow_namespace_holder`, is therefore pickled with the module to carry its dictionary.
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
        return reduce_module(self, self._satflow_namespace(), type(self))

    def __setstate__(self, state: tuple[types.FunctionType, dict[str, Any]]) -> None:
        holder, members = state
        namespace = holder.__globals__
        namespace.update(members)
        own = super().__getattribute__("__dict__")
        for name in own.keys() - {"__name__", "__spec__", "__loader__"}:  # the import system reads these
            del own[name]
        own["_satflow_namespace_holder"] = holder

    def _satflow_namespace(self) -> dict[str, Any]:
        own: dict[str, Any] = super().__getattribute__("__dict__")
        holder = own.get("_satflow_namespace_holder")
        return own if holder is None else holder.__globals__


def reduce_module(module: types.ModuleType, namespace: dict[str, Any], kind: type[types.ModuleType]) -> Any:
    """Return the reduction of a module. Its state is separate from its creation, so that modules may form cycles.

    Args:
        module: the module.
        namespace: its attributes: the same dictionary object that its functions have as globals.
        kind: the class of the rebuilt module.
    """
    members = {name: value for name, value in namespace.items() if name not in LOADER_NAMES}
    holder = types.FunctionType((lambda: None).__code__, namespace, "_satflow_namespace_holder")
    return kind, (module.__name__,), (holder, members)


def fill_enum(cls: Any, parts: tuple[Any, Any, dict[str, dict[str, Any]]]) -> None:
    """Fill an enumeration as cloudpickle does, then set the attributes that `__init__` originally set on its members."""
    fill, state, attributes = parts
    fill(cls, state)
    for name, own in attributes.items():
        vars(cls.__members__[name]).update(own)


def fill_dispatch(function: Any, implementations: list[tuple[type, Any]]) -> None:
    """Register the implementations of a `functools.singledispatch` function."""
    for cls, implementation in implementations:
        function.register(cls, implementation)
