"""Pickling of a flow with cloudpickle, including objects that stock cloudpickle stores by a name that other processes lack.

Loading the bytes does not require SatFlow: every constructor named in them belongs to Python or cloudpickle.
"""

from __future__ import annotations

import contextvars
import copyreg
import dataclasses
import enum
import functools
import logging
import sys
import types
import typing
from collections import ChainMap
from typing import IO, Any, ClassVar

import cloudpickle

from satflow_ext import main_module
from satflow_ext.kernel import process_objects
from satflow_ext.kernel.carried import NAMES_ATTRIBUTE, FlowWithModules, reduce_flow
from satflow_ext.kernel.classes import is_pydantic, text_annotation_names
from satflow_ext.kernel.code_facts import annotation_names
from satflow_ext.kernel.descriptors import descriptor_base, reduce_descriptor
from satflow_ext.kernel.dispatch import is_dispatch, registered_implementations
from satflow_ext.kernel.local_module_pickling import PickledModule, fill_dispatch, fill_enum, reduce_module
from satflow_ext.kernel.local_modules import is_local, is_local_name, pickle_local_by_value
from satflow_ext.kernel.validated_calls import validated_call
from satflow_ext.loggers import reduce_logger

PROTOCOL = 5
FULL_REDUCTION = 6
"""Length of a reduction with its own function to set the state of the new object."""
REBUILT_BY_PYDANTIC = frozenset({"__pydantic_core_schema__", "__pydantic_validator__", "__pydantic_serializer__"})
"""Rebuilt from a model's fields once all models are loaded, as no order works for models that refer to each other."""


class TooLarge(Exception):
    """The pickle is larger than the limit."""


class CappedFile:
    """A file that refuses to grow beyond a limit, in bytes."""

    def __init__(self, file: IO[bytes], limit: int) -> None:
        self._file = file
        self._limit = limit
        self.size = 0

    def write(self, data: bytes | memoryview) -> int:
        """Write all of the data or none.

        Raises:
            TooLarge: the file would exceed the limit.
        """
        size = memoryview(data).nbytes
        self.size += size
        if self.size > self._limit:
            raise TooLarge
        self._file.write(data)
        return size


class FlowPickler(cloudpickle.CloudPickler):  # type: ignore[misc]  # cloudpickle has no types
    """A cloudpickle pickler that also handles objects of the notebook that cloudpickle stores by name or loses parts of."""

    dispatch_table: ClassVar[Any] = ChainMap({logging.Logger: reduce_logger}, cloudpickle.CloudPickler.dispatch_table)

    def __init__(self, file: CappedFile) -> None:
        super().__init__(file, protocol=PROTOCOL)
        self._cells: dict[int, types.CellType] = {}
        self._models: list[type] = []
        self._main: list[object] = []

    def reducer_override(self, obj: Any) -> Any:
        """Return the reduction of `obj`; NotImplemented to use the default."""
        kind = type(obj)
        if kind is FlowWithModules:
            return reduce_flow(obj, self._models, self._main)
        if reference := process_objects.find_reference(obj):
            return process_objects.reduce_reference(reference)
        if kind is types.FunctionType:
            return self._reduce_function(obj, super().reducer_override(obj))
        if issubclass(kind, type):
            return self._reduce_class(obj, super().reducer_override(obj))
        return self._reduce_instance(obj)

    def _reduce_instance(self, obj: Any) -> Any:
        kind = type(obj)
        if kind is types.ModuleType and is_local(obj):
            return reduce_module(obj, vars(obj), PickledModule)
        if kind in _SENTINELS:
            return _SENTINELS[kind]
        if kind in _NAMELESS:
            return _NAMELESS[kind](obj)
        if kind in _REDUCERS and _is_users_object(obj):
            return _REDUCERS[kind](obj)
        return self._reduce_by_class(obj, kind)

    def _reduce_by_class(self, obj: Any, kind: type) -> Any:
        if base := descriptor_base(kind):
            return reduce_descriptor(obj, base)
        if _has_own_arguments(kind):
            return copyreg.__newobj__, (kind, *obj.args), vars(obj) or None  # type: ignore[attr-defined]
        return super().reducer_override(obj)

    def _collect_main(self, obj: object) -> None:
        """Collect an object that the notebook's `__main__` defines, to add it to the `__main__` of a flow run."""
        if main_module.is_defined_in_main(obj):
            self._main.append(obj)

    def _reduce_function(self, function: types.FunctionType, reduced: Any) -> Any:
        """Reduce a function. Functions that share an enclosing variable share it again; cloudpickle makes new cells for each."""
        self._collect_main(function)
        if not isinstance(reduced, tuple):
            return reduced
        if is_dispatch(function):
            found = registered_implementations(function)
            return functools.singledispatch, (dict(found)[object],), found, None, None, fill_dispatch
        if call := validated_call(function):
            reduced[2][1]["__closure__"] = (types.CellType(call),)
        make, arguments, *rest = _add_annotation_globals(function, reduced)
        shared = tuple(self._cells.setdefault(id(cell), types.CellType()) for cell in function.__closure__ or ())
        return make, (*arguments[:-1], shared or None), *rest

    def _reduce_class(self, cls: Any, reduced: Any) -> Any:
        self._collect_main(cls)
        if not isinstance(reduced, tuple) or len(reduced) != FULL_REDUCTION:
            return reduced
        make, arguments, state, _, _, fill = reduced
        if isinstance(cls, enum.EnumMeta):
            members: dict[str, Any] = dict(cls.__members__)
            own = {name: _member_attributes(member) for name, member in members.items()}
            return make, arguments, (fill, state, own), None, None, fill_enum
        _normalize_slots(cls, state[0])
        if is_pydantic(cls):
            self._models.append(cls)
            kept = {name: value for name, value in state[0].items() if name not in REBUILT_BY_PYDANTIC}
            kept[NAMES_ATTRIBUTE] = text_annotation_names(cls)
            return make, arguments, (kept, *state[1:]), None, None, fill
        return reduced


def pickle_object(value: object, file: IO[bytes], limit: int) -> int:
    """Pickle an object, with local modules by value, and return the size in bytes.

    Raises:
        TooLarge: the pickle is larger than `limit`.
    """
    capped = CappedFile(file, limit)
    with pickle_local_by_value():
        FlowPickler(capped).dump(value)
    return capped.size


def _member_attributes(member: Any) -> dict[str, Any]:
    """Return the attributes that the `__init__` or `__new__` of an enumeration set on a member."""
    return {name: value for name, value in vars(member).items() if not name.startswith("_") and name != "name"}


def _is_users_object(value: object) -> bool:
    """Return whether an object belongs to the notebook, a local module, or a module that is not imported."""
    module = getattr(value, "__module__", None)
    return module == "__main__" or is_local_name(module) or module not in sys.modules


def _has_own_arguments(kind: type) -> bool:
    """Return whether a class is a user's exception whose `__init__` may not accept `args`, with which pickle would call it."""
    if not issubclass(kind, Exception) or not isinstance(kind.__init__, types.FunctionType):
        return False
    users = kind.__module__ == "__main__" or is_local_name(kind.__module__)
    standard = kind.__reduce__ is BaseException.__reduce__ and kind.__reduce_ex__ is object.__reduce_ex__
    plain = isinstance(kind.__new__, types.BuiltinFunctionType) and not issubclass(kind, _SET_BY_INIT)
    return users and standard and plain


def _normalize_slots(cls: type, members: dict[str, Any]) -> None:
    """Write `__slots__` as a tuple of the member names: cloudpickle handles neither private names nor, in a run, a single string.

    A class has no slots in a run: cloudpickle sets `__slots__` after it has created the class, also when it is pickled again.
    """
    slots = vars(cls).get("__slots__")
    names = [slots] if isinstance(slots, str) else list(slots) if isinstance(slots, (tuple, list, set, dict)) else []
    private = {name: f"_{cls.__name__.lstrip('_')}{name}" for name in names if _is_private(name)}
    if private or isinstance(slots, str):
        members["__slots__"] = tuple(private.get(name, name) for name in names)
        for name in private.values():
            members.pop(name, None)


def _is_private(name: str) -> bool:
    return name.startswith("__") and not name.endswith("__")


def _add_annotation_globals(function: types.FunctionType, reduced: Any) -> Any:
    """Add the globals that text annotations use to those that cloudpickle finds in the code."""
    _, slots = reduced[2]
    if missing := annotation_names(function) & function.__globals__.keys():
        slots["__globals__"].update((name, function.__globals__[name]) for name in sorted(missing))
    slots["__globals__"] = process_objects.replace_globals(slots["__globals__"])
    return reduced


def _reduce_cell(cell: types.CellType) -> Any:
    """Reduce a variable of an enclosing function as cloudpickle does: `make, (contents,)`, or `make, ()` for an empty cell."""
    make, arguments = cloudpickle.CloudPickler.dispatch_table[types.CellType](cell)
    return make, tuple(map(process_objects.to_reference, arguments))


def _reduce_lru_cache(cached: Any) -> Any:
    """Reduce a cached function, with an empty cache."""
    settings = cached.cache_parameters()
    rebuild = type(cached), (cached.__wrapped__, settings["maxsize"], settings["typed"], functools._CacheInfo)
    state = {name: value for name, value in vars(cached).items() if name != "cache_parameters"}
    return *rebuild, state


def _reduce_new_type(new_type: Any) -> Any:
    return typing.NewType, (new_type.__name__, new_type.__supertype__), {"__module__": new_type.__module__}


def _reduce_cached_property(value: functools.cached_property[Any]) -> Any:
    return functools.cached_property, (value.func,), {"attrname": value.attrname, "__doc__": value.__doc__}


def _reduce_context_variable(variable: contextvars.ContextVar[Any]) -> Any:
    """Reduce a context variable to its name and default; a value set in a cell is not pickled."""
    try:
        default = contextvars.Context().run(variable.get)
    except LookupError:
        return contextvars.ContextVar, (variable.name,)
    return functools.partial(contextvars.ContextVar, default=default), (variable.name,)


def _reduce_by_name(variable: Any) -> Any:
    return type(variable), (variable.__name__,)


_SENTINELS = {
    type(dataclasses.MISSING): "MISSING",
    type(dataclasses.KW_ONLY): "KW_ONLY",
    type(dataclasses._HAS_DEFAULT_FACTORY): "_HAS_DEFAULT_FACTORY",  # type: ignore[attr-defined]
}
"""Singletons that are compared by identity; cloudpickle would create new ones. Pickle finds them by these names."""

_SET_BY_INIT = (StopIteration, SyntaxError, UnicodeError)
"""Exceptions whose built-in `__init__` stores more than `args`."""

_NAMELESS: dict[type, Any] = {
    functools.cached_property: _reduce_cached_property,
    contextvars.ContextVar: _reduce_context_variable,
    types.CellType: _reduce_cell,
}
"""Types whose objects have no name, and cannot be pickled or only with a lock."""

_REDUCERS: dict[type, Any] = {
    type(functools.lru_cache(len)): _reduce_lru_cache,
    typing.NewType: _reduce_new_type,
    typing.ParamSpec: _reduce_by_name,
}
