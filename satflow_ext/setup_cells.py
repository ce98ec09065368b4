"""Setup cells: cells of a notebook that run again in every process of a flow run, before anything of the flow is loaded.

What they define belongs to the process, as in the notebook: it is found by its name in `__main__` and never copied. Uses the
standard library only: it is imported wherever tasks run.
"""

from __future__ import annotations

import linecache
import symtable
import sys
import threading
import types
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

COPIED = frozenset({type(None), bool, int, float, complex, str, bytes, list, dict, tuple, types.ModuleType})
"""Types whose values are recognized by the name that they have in a function's globals only: equal ones may be one object."""


class SetupCell(NamedTuple):
    """One such cell.

    Args:
        file: the name that its code objects carry in tracebacks.
        text: Python, as IPython compiled it.
    """

    file: str
    text: str


class _State:
    """The setup cells of this process and what they have defined."""

    def __init__(self) -> None:
        self.cells: tuple[SetupCell, ...] = ()
        self.names: dict[str, object] = {}
        self.objects: dict[int, str] = {}
        self.run: set[SetupCell] = set()
        self.lock = threading.RLock()


_STATE = _State()


class ByName:
    """Stands for a value while it is pickled, where no pickler asks how to reduce the value itself."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __reduce__(self) -> tuple[Any, ...]:
        return reduce_by_name(self.name)


class RunSetupCells:
    """Runs the setup cells that this process has where it is read with pickle, and is None there."""

    def __reduce__(self) -> tuple[Any, ...]:
        return run, (as_tuples(),)


def cells() -> tuple[SetupCell, ...]:
    """Return the setup cells of this process, in the order in which they have run."""
    return _STATE.cells


def as_tuples() -> tuple[tuple[str, str], ...]:
    """Return file and text of the setup cells of this process, for `run`."""
    return tuple((cell.file, cell.text) for cell in _STATE.cells)


def run(given: Iterable[tuple[str, str]], namespace: dict[str, object] | None = None) -> None:
    """Run setup cells, each once in a process.

    Args:
        given: file and text of each, in their order.
        namespace: where (default: in the process's `__main__`).

    Raises:
        Exception: whatever a cell raises; it and those after it run again the next time.
    """
    with _STATE.lock:
        wanted = tuple(SetupCell(*each) for each in given)
        if not wanted or wanted == _STATE.cells:
            return
        where = vars(sys.modules["__main__"]) if namespace is None else namespace
        for cell in wanted:
            if cell not in _STATE.run:
                _execute(cell, where)
                _STATE.run.add(cell)
        have_run = set(_STATE.run)
        define({cell: defined_by(cell, where) for cell in wanted})
        _STATE.run |= have_run
        _reduce_by_name_everywhere()


def define(given: Mapping[SetupCell, Mapping[str, object]]) -> None:
    """Note which setup cells have run here.

    Args:
        given: all of them, in their order, each with what it has defined.
    """
    _STATE.cells = tuple(given)
    _STATE.run = set(given)
    # Kept: an id is its own only while the object lives.
    _STATE.names = {name: value for names in given.values() for name, value in names.items()}
    _STATE.objects = {id(value): name for name, value in _STATE.names.items() if type(value) not in COPIED}


def defined_names(cell: SetupCell) -> set[str]:
    """Return the names that a cell binds, but for what it imports."""
    symbols = symtable.symtable(cell.text, cell.file, "exec").get_symbols()
    return {each.get_name() for each in symbols if each.is_assigned() and not each.is_imported()}


def defined_by(cell: SetupCell, namespace: Mapping[str, object]) -> dict[str, object]:
    """Return what a cell has just defined in the namespace in which it has run."""
    return {name: namespace[name] for name in sorted(defined_names(cell) & namespace.keys())}


def name_of(value: object) -> str | None:
    """Return the name of an object that a setup cell has defined; None for any other."""
    return _STATE.objects.get(id(value))


def by_name(name: str, value: Any) -> Any:
    """Return what is pickled instead of a global: the value itself where no setup cell has defined it."""
    return ByName(name) if name in _STATE.names and _STATE.names[name] is value else value


def reduce_by_name(name: str) -> tuple[Any, ...]:
    """Return how pickle gets what a setup cell defines where it is read."""
    return look_up, (as_tuples(), name)


def look_up(given: tuple[tuple[str, str], ...], name: str) -> object:
    """Return what setup cells define under a name, after they have run.

    Raises:
        AttributeError: they do not define it here.
    """
    run(given)
    main = vars(sys.modules["__main__"])
    if name not in main:
        raise AttributeError(f"The setup cells have not defined {name!r} in this process.")
    return main[name]


def _execute(cell: SetupCell, namespace: dict[str, object]) -> None:
    lines = [f"{line}\n" for line in cell.text.splitlines()]
    linecache.cache[cell.file] = (len(cell.text), None, lines, cell.file)
    exec(compile(cell.text, cell.file, "exec"), namespace)  # noqa: S102  # of a content that was verified


def _reduce_by_name_everywhere() -> None:
    """Let each cloudpickle of this process send what setup cells define by name: Prefect and Dask use its class as it is."""
    import cloudpickle

    reduce = cloudpickle.Pickler.reducer_override
    if getattr(reduce, "_satflow", False):
        return

    def reducer_override(self: Any, obj: Any) -> Any:
        if (name := name_of(obj)) is not None:
            return reduce_by_name(name)
        reduced = reduce(self, obj)
        if type(obj) is types.FunctionType and isinstance(reduced, tuple):
            slots = reduced[2][1]
            slots["__globals__"] = {name: by_name(name, value) for name, value in slots["__globals__"].items()}
        return reduced

    reducer_override._satflow = True  # type: ignore[attr-defined]
    cloudpickle.Pickler.reducer_override = reducer_override
