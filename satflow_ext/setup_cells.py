"""Setup cells: cells of a notebook that run again in every process of a flow run, before any part of the flow is loaded.

The objects that they define belong to the process, as in the notebook: they are looked up by name in `__main__` and never
copied. Uses the standard library only, because it is imported wherever tasks run.
"""

from __future__ import annotations

import symtable
import sys
import threading
import types
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from satflow_ext.cell_lines import register_cell_lines

COPIED_TYPES = frozenset({type(None), bool, int, float, complex, str, bytes, list, dict, tuple, types.ModuleType})
"""Types whose values are recognized only by their name in a function's globals, because equal values may be one object."""


class SetupCell(NamedTuple):
    """A setup cell.

    Args:
        file: the file name of its code objects in tracebacks.
        text: the Python code that IPython compiled.
    """

    file: str
    text: str


class _State:
    """The setup cells of this process and the objects that they have defined."""

    def __init__(self) -> None:
        self.cells: tuple[SetupCell, ...] = ()
        self.names: dict[str, object] = {}
        self.objects: dict[int, str] = {}
        self.executed: set[SetupCell] = set()
        self.lock = threading.RLock()


_STATE = _State()


class NamedReference:
    """A replacement for a value during pickling, for values that are pickled without a reducer."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __reduce__(self) -> tuple[Any, ...]:
        return reduce_by_name(self.name)


class SetupCellRunner:
    """An object that runs the setup cells of this process when it is unpickled elsewhere, where it becomes None."""

    def __reduce__(self) -> tuple[Any, ...]:
        return run, (cells_as_tuples(),)


def list_setup_cells() -> tuple[SetupCell, ...]:
    """Return the setup cells of this process, in the order of their execution."""
    return _STATE.cells


def cells_as_tuples() -> tuple[tuple[str, str], ...]:
    """Return the files and texts of the setup cells of this process, for `run`."""
    return tuple((cell.file, cell.text) for cell in _STATE.cells)


def run(cell_tuples: Iterable[tuple[str, str]], namespace: dict[str, object] | None = None) -> None:
    """Run setup cells, each once in a process.

    Args:
        cell_tuples: file and text of each, in order.
        namespace: the namespace to run them in (default: the process's `__main__`).

    Raises:
        Exception: a cell raised it; that cell and the following ones run again on the next call.
    """
    with _STATE.lock:
        cells = tuple(SetupCell(*each) for each in cell_tuples)
        if not cells or cells == _STATE.cells:
            return
        where = vars(sys.modules["__main__"]) if namespace is None else namespace
        for cell in cells:
            if cell not in _STATE.executed:
                _execute_cell(cell, where)
                _STATE.executed.add(cell)
        have_run = set(_STATE.executed)
        record_cells({cell: read_definitions(cell, where) for cell in cells})
        _STATE.executed |= have_run
        _reduce_by_name_everywhere()


def record_cells(definitions: Mapping[SetupCell, Mapping[str, object]]) -> None:
    """Record the setup cells that have run in this process.

    Args:
        definitions: all of them, in order, each with the objects that it has defined.
    """
    _STATE.cells = tuple(definitions)
    _STATE.executed = set(definitions)
    # Keep the objects: an id is unique only while its object exists.
    _STATE.names = {name: value for names in definitions.values() for name, value in names.items()}
    _STATE.objects = {id(value): name for name, value in _STATE.names.items() if type(value) not in COPIED_TYPES}


def list_defined_names(cell: SetupCell) -> set[str]:
    """Return the names that a cell binds, except for imports."""
    symbols = symtable.symtable(cell.text, cell.file, "exec").get_symbols()
    return {each.get_name() for each in symbols if each.is_assigned() and not each.is_imported()}


def read_definitions(cell: SetupCell, namespace: Mapping[str, object]) -> dict[str, object]:
    """Return the objects that a cell has just defined in the namespace in which it ran."""
    return {name: namespace[name] for name in sorted(list_defined_names(cell) & namespace.keys())}


def find_name(value: object) -> str | None:
    """Return the name of an object that a setup cell has defined, None for any other object."""
    return _STATE.objects.get(id(value))


def replace_by_reference(name: str, value: Any) -> Any:
    """Return the object to pickle for a global: a `NamedReference` if a setup cell has defined it, else the value itself."""
    return NamedReference(name) if name in _STATE.names and _STATE.names[name] is value else value


def reduce_by_name(name: str) -> tuple[Any, ...]:
    """Return the reduction for pickle that looks up a setup cell's object by name when it is unpickled."""
    return look_up, (cells_as_tuples(), name)


def look_up(cell_tuples: tuple[tuple[str, str], ...], name: str) -> object:
    """Run the setup cells and return the object that they define under a name.

    Raises:
        AttributeError: they do not define it in this process.
    """
    run(cell_tuples)
    main = vars(sys.modules["__main__"])
    if name not in main:
        raise AttributeError(f"The setup cells have not defined {name!r} in this process.")
    return main[name]


def _execute_cell(cell: SetupCell, namespace: dict[str, object]) -> None:
    register_cell_lines([(cell.file, cell.text)])
    exec(compile(cell.text, cell.file, "exec"), namespace)  # noqa: S102  # from verified content


def _reduce_by_name_everywhere() -> None:
    """Make all cloudpickle picklers of this process, also those of Prefect and Dask, send objects of setup cells by name."""
    import cloudpickle

    reduce = cloudpickle.Pickler.reducer_override
    if getattr(reduce, "_satflow", False):
        return

    def reducer_override(self: Any, obj: Any) -> Any:
        if (name := find_name(obj)) is not None:
            return reduce_by_name(name)
        reduced = reduce(self, obj)
        if type(obj) is types.FunctionType and isinstance(reduced, tuple):
            slots = reduced[2][1]
            slots["__globals__"] = {
                name: replace_by_reference(name, value) for name, value in slots["__globals__"].items()
            }
        return reduced

    reducer_override._satflow = True  # type: ignore[attr-defined]
    cloudpickle.Pickler.reducer_override = reducer_override
