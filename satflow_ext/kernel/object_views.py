"""Views of the parts of an object, as pickle would see them; fingerprints, sizes and the search for errors share them.

A view of a function, class or module of the notebook or of a local module has its parts; a view of an installed one has only its
name. Every other object is described by its `__reduce_ex__`, so that an object of any type can be inspected.
"""

from __future__ import annotations

import contextvars
import functools
import io
import logging
import pickle
import re
import sys
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from satflow_ext.kernel import classes, process_objects
from satflow_ext.kernel.code_facts import annotations_of, plain_facts, used_names
from satflow_ext.kernel.descriptors import descriptor_base, wrapped_functions
from satflow_ext.kernel.dispatch import is_dispatch, registered_implementations
from satflow_ext.kernel.flow_discovery import prefect_class
from satflow_ext.kernel.key_value import KeyValue
from satflow_ext.kernel.local_modules import is_local, is_local_name
from satflow_ext.kernel.validated_calls import ValidatedCall, validated_call
from satflow_ext.setup_cells import NamedReference
from satflow_ext.setup_cells import replace_by_reference as by_name_of_setup

Parts = Iterable[tuple[str, object]]
ViewParts = tuple[str, tuple[object, ...], list[tuple[str, object]]]

ATOMS = frozenset({type(None), bool, int, float, complex, str, type(Ellipsis), type(NotImplemented)})
"""Types whose values have no parts."""

INIT_SUBCLASS = "__init_subclass__"
COPIED_ENVIRONMENT = "it is a copy of the notebook's environment variables, which must not leave this machine"
BUFFERS = (bytes, bytearray, memoryview)
OPEN_FILES = frozenset({io.TextIOWrapper, io.BufferedReader, io.BufferedWriter, io.BufferedRandom, io.FileIO})

DERIVED_ATTRIBUTES = frozenset(
    {
        "fn",
        "parameters",
        "isasync",
        "isgenerator",
        "source_code",
        "task_key",
        "version",
        "__wrapped__",
        "__module__",
        "__doc__",
        "__name__",
        "__qualname__",
        "__annotations__",
        "__annotate__",
        "__type_params__",
        "_entrypoint",
        "_storage",
        "_flow_loader",
    }
)
"""Attributes that Prefect derives from flows and tasks. `version` has the hash of the defining file, and `_entrypoint` its path;
both change for reasons unrelated to the flow."""


class LazyParts:
    """Parts that are created on each iteration, since storing those of a long container would use too much memory."""

    def __init__(self, make_parts: Callable[[], Parts]) -> None:
        self._make = make_parts

    def __iter__(self) -> Iterator[tuple[str, object]]:
        return iter(self._make())


class View(NamedTuple):
    """An object with its parts.

    Args:
        kind: the kind of object.
        facts: the object's own plain values.
        parts: (label, object) for each object that it refers to; can be iterated again. A label is a variable's name,
            `.attribute`, `[index]`, or empty.
        ordered: whether the order of the parts is significant.
        buffer: the bytes of raw data.
        problem: the reason why it cannot be pickled.
    """

    kind: str
    facts: tuple[object, ...] = ()
    parts: Parts = ()
    ordered: bool = True
    buffer: memoryview | None = None
    problem: str | None = None


def view_object(value: object) -> View:
    """Return the view of an object. Calls the object's own pickling methods, and no other user code."""
    kind = type(value)
    if reference := process_objects.find_reference(value):
        return View("name", (f"{reference.module}:{reference.name}",))
    if view := _VIEWS.get(kind):
        return view(value)
    if kind is NamedReference:
        return View("name", (f"__main__:{typing.cast(NamedReference, value).name}",))
    if issubclass(kind, type):
        return _class_view(typing.cast(type, value))
    if issubclass(kind, types.ModuleType):
        return _module_view(typing.cast(types.ModuleType, value))
    if kind in ATOMS:
        return View(kind.__name__, (value,))
    if special := _prefect_view_parts(value):
        return View(*special)
    return _special_view(value, kind) or _reduction_view(value)


def _special_view(value: object, kind: type) -> View | None:
    """Return the view of a descriptor, file or logger, whose reduction does not describe its parts; None for others."""
    if descriptor_base(kind):
        return _descriptor_view(value)
    if kind in OPEN_FILES and not any(value is each for each in (sys.stdin, sys.stdout, sys.stderr)):
        return View(
            "open file", (str(getattr(value, "name", None)),), problem="an open file exists only in this process"
        )
    if issubclass(kind, (io.IOBase, logging.Logger)):
        facts = (getattr(value, name, None) for name in ("name", "mode", "level"))
        return View(kind.__qualname__, tuple(map(str, facts)))
    return None


def installed_name(value: object) -> str | None:
    """Return `module:name` of a function or class of an installed module; None if it must be pickled by value."""
    module_name, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    module = sys.modules.get(module_name) if isinstance(module_name, str) else None
    if module is None or name is None or module_name == "__main__" or is_local(module):
        return None
    if module_name == "builtins":  # also for types without a name in it, such as NoneType
        return f"builtins:{name}"
    found: object = module
    for step in name.split("."):
        found = getattr(found, step, None)
    return f"{module_name}:{name}" if found is value else None


def _function_view(function: types.FunctionType) -> View:
    if reference := installed_name(function):
        return View("name", (reference,))
    if is_dispatch(function):
        found = registered_implementations(function)
        return View(
            "singledispatch", (), [(f"[{cls.__name__}]", KeyValue((cls, each))) for cls, each in found], ordered=False
        )
    if call := validated_call(function):
        return _validated_call_view(function, call)
    closed_over = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    parts: list[tuple[str, object]] = [("", function.__code__)]
    used = [(name, function.__globals__[name]) for name in used_names(function) if name != "__builtins__"]
    parts += [(name, by_name_of_setup(name, value)) for name, value in used]
    parts += closed_over
    parts += [("(default)", each) for each in function.__defaults__ or ()]
    parts += [(f"(default {name})", each) for name, each in sorted((function.__kwdefaults__ or {}).items())]
    parts += [(f".{name}", KeyValue((name, each))) for name, each in sorted(vars(function).items())]
    parts += [("(annotation)", KeyValue((name, each))) for name, each in sorted(annotations_of(function).items())]
    return View("function", (), parts)


def _validated_call_view(function: types.FunctionType, call: ValidatedCall) -> View:
    """Return a view of the function that `pydantic.validate_call` wraps, its settings, and the wrapper's attributes."""
    parts: list[tuple[str, object]] = [("", call.raw), ("(config)", call.config)]
    attributes = {name: each for name, each in vars(function).items() if name not in ("raw_function", "__wrapped__")}
    parts += [(f".{name}", KeyValue((name, attributes[name]))) for name in sorted(attributes)]
    return View("validated function", (call.validate_return,), parts)


def _descriptor_view(descriptor: object) -> View:
    """Return a view of an instance of a descriptor subclass: its class, the wrapped functions, and its own attributes."""
    parts: list[tuple[str, object]] = [("", type(descriptor)), *(("", each) for each in wrapped_functions(descriptor))]
    return View("descriptor", (), [*parts, *_state_parts(getattr(descriptor, "__dict__", {}))])


def _code_view(code: types.CodeType) -> View:
    return View("code", plain_facts(code), [("", const) for const in code.co_consts])


def _class_view(cls: type) -> View:
    if reference := installed_name(cls):
        return View("name", (reference,))
    problem = classes.missing_subclass_arguments(
        next((base for base in cls.__mro__[1:] if INIT_SUBCLASS in vars(base)), object)
    )
    return View("class", (cls.__name__, type(cls).__qualname__), classes.class_members(cls), problem=problem)


def _module_view(module: types.ModuleType) -> View:
    if not is_local(module):
        return View("module", (module.__name__,))
    members = {name: each for name, each in vars(module).items() if not (name.startswith("__") and name.endswith("__"))}
    return View(
        "local module", (module.__name__,), [(f".{name}", KeyValue((name, members[name]))) for name in sorted(members)]
    )


def _sequence_view(values: list[object] | tuple[object, ...]) -> View:
    parts = LazyParts(lambda: ((f"[{index}]", each) for index, each in enumerate(values)))
    return View(type(values).__name__, (len(values),), parts)


def _pair_view(pair: KeyValue) -> View:
    return View("pair", (), [("", pair[0]), ("", pair[1])])


def _mapping_view(mapping: Mapping[object, object]) -> View:
    problem = COPIED_ENVIRONMENT if process_objects.is_environment_copy(mapping) else None
    return View(
        "dict", (len(mapping),), LazyParts(lambda: map(_mapping_item, mapping.items())), ordered=False, problem=problem
    )


def _mapping_item(item: tuple[object, object]) -> tuple[str, KeyValue]:
    return f"[{item[0]!r:.40}]" if type(item[0]) in ATOMS else "[…]", KeyValue(item)


def _set_view(values: set[object] | frozenset[object]) -> View:
    return View(
        type(values).__name__, (len(values),), LazyParts(lambda: (("", each) for each in values)), ordered=False
    )


def _cell_view(cell: types.CellType) -> View:
    try:
        return View("cell", (), [("", cell.cell_contents)])
    except ValueError:
        return View("empty cell")


def _buffer_view(value: bytes | bytearray | memoryview) -> View:
    raw = memoryview(value)
    return View("buffer", (raw.nbytes,), buffer=raw.cast("B") if raw.c_contiguous else memoryview(raw.tobytes()))


def _pickle_buffer_view(value: Any) -> View:
    raw = value.raw()
    return View("buffer", (raw.nbytes,), buffer=raw)


def _type_variable_view(value: Any) -> View:
    """Return a view of a type variable or similar: its name and bounds, without the random id that cloudpickle adds."""
    bounds = [getattr(value, name, None) for name in ("__bound__", "__constraints__", "__supertype__", "__value__")]
    return View(type(value).__name__, (value.__name__,), [("", each) for each in bounds])


def _context_variable_view(value: contextvars.ContextVar[Any]) -> View:
    """Return a view of the name and the default, which can be read only in an empty context."""
    try:
        return View("context variable", (value.name,), [("", contextvars.Context().run(value.get))])
    except LookupError:
        return View("context variable", (value.name,))


def _cached_property_view(value: functools.cached_property[Any]) -> View:
    return View("cached_property", (), [("", value.func)])


def _lru_cache_view(value: Any) -> View:
    return View("lru_cache", tuple(sorted(value.cache_parameters().items())), [("", value.__wrapped__)])


def _reduction_view(value: object) -> View:
    """Return a view of an object's pickle reduction. An object that refuses pickling gives a view with a problem."""
    name = f"{type(value).__module__}.{type(value).__qualname__}"
    try:
        reduced = _reduce_object(value)
    except Exception as error:  # the object's own code, which may raise anything
        return View("unpicklable", (name,), problem=str(error) or type(error).__name__)
    if isinstance(reduced, str):
        return _name_view(value, reduced, name)
    function, arguments, state, items, pairs = (*reduced[:5], None, None, None)[:5]
    parts: list[tuple[str, object]] = [("", function), *(("", each) for each in arguments or ()), *_state_parts(state)]
    parts += [(f"[{index}]", each) for index, each in enumerate(items or ())]
    parts += [(f"[{key!r:.40}]", KeyValue((key, each))) for key, each in pairs or ()]
    return View("object", (len(parts),), parts)


def _reduce_object(value: object) -> Any:
    import cloudpickle

    reducer: Callable[[object], Any] | None = cloudpickle.CloudPickler.dispatch_table.get(type(value))
    return reducer(value) if reducer is not None else value.__reduce_ex__(5)


def _name_view(value: object, name: str, type_name: str) -> View:
    """Return a view of an object that pickle stores by name. A name in the notebook or a local module is a problem."""
    module = getattr(value, "__module__", None)
    lost = module == "__main__" or is_local_name(module)
    problem = f"it is pickled only by its name, {module}.{name}, which no other process has" if lost else None
    return View("name", (f"{module}:{name}", type_name), problem=problem)


def _state_parts(state: object) -> Parts:
    halves = state if isinstance(state, tuple) and len(state) == 2 else (state, None)
    dicts = [half for half in halves if isinstance(half, dict)]
    if len(dicts) + sum(half is None for half in halves) < 2:
        return [("", state)]
    attributes = {str(key): each for half in dicts for key, each in half.items()}
    return [(f".{name}", KeyValue((name, attributes[name]))) for name in sorted(attributes)]


_VIEWS: dict[type, Callable[[Any], View]] = {
    types.FunctionType: _function_view,
    types.CodeType: _code_view,
    types.CellType: _cell_view,
    types.MappingProxyType: _mapping_view,
    list: _sequence_view,
    tuple: _sequence_view,
    dict: _mapping_view,
    set: _set_view,
    frozenset: _set_view,
    KeyValue: _pair_view,
    functools.cached_property: _cached_property_view,
    contextvars.ContextVar: _context_variable_view,
    type(functools.lru_cache(len)): _lru_cache_view,
    **dict.fromkeys(BUFFERS, _buffer_view),
    pickle.PickleBuffer: _pickle_buffer_view,
    **dict.fromkeys((typing.TypeVar, typing.ParamSpec, typing.NewType), _type_variable_view),
}


def _prefect_view_parts(value: object) -> ViewParts | None:
    """Return kind, facts and parts of an object of Prefect; None for all others."""
    kind = type(value)
    for module, name, view in _PREFECT_VIEWS:
        prefect_type = prefect_class(module, name)
        if prefect_type is not None and issubclass(kind, prefect_type):
            return view(value)
    return None


def _flow_parts(value: Any) -> ViewParts:
    options = {name: each for name, each in vars(value).items() if name not in DERIVED_ATTRIBUTES}
    parts: list[tuple[str, object]] = [("", value.fn)]
    parts += [(f".{name}", KeyValue((name, options[name]))) for name in sorted(options)]
    return type(value).__qualname__, (_user_version(value.version),), parts


def _user_version(version: str | None) -> str | None:
    """Return the version that the user set; None for the hash of a file, which Prefect sets by default."""
    return None if version and re.fullmatch(r"[0-9a-f]{32}|[0-9a-f]{64}", version) else version


def _task_runner_parts(value: Any) -> ViewParts:
    """Return type and options. Attributes with an underscore are state of a running task runner, except `_max_workers`."""
    options = {name: each for name, each in vars(value).items() if not name.startswith("_") and name != "logger"}
    options["max_workers"] = getattr(value, "_max_workers", None)
    return (
        "task runner",
        (),
        [("", type(value)), *((f".{name}", KeyValue((name, options[name]))) for name in sorted(options))],
    )


def _validator_parts(value: Any) -> ViewParts:
    """Return a view of pydantic's record of a validator, without the address of its class."""
    return "validator", (value.cls_var_name,), [("", value.func), ("", value.info)]


_PREFECT_VIEWS = (
    ("prefect.flows", "Flow", _flow_parts),
    ("prefect.tasks", "Task", _flow_parts),
    ("prefect.task_runners", "TaskRunner", _task_runner_parts),
    ("pydantic._internal._decorators", "Decorator", _validator_parts),
)
