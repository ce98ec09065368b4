"""Errors for flows that cannot be packed, which name the variable that leads to the problem."""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterable
from itertools import islice
from types import TracebackType
from typing import Any, NamedTuple

from satflow_ext.display.size_format import MIB, size_text
from satflow_ext.errors import CannotPickle, ContentTooLarge
from satflow_ext.kernel.local_modules import is_local_name
from satflow_ext.kernel.pickler import CappedFile, FlowPickler, pickle_object
from satflow_ext.kernel.reachable_objects import ReachedObject, WalkedFlow, format_path, is_variable, type_name
from satflow_ext.kernel.setup_cell_recorder import find_problem
from satflow_ext.setup_cells import list_setup_cells

LISTED_VALUES = 5
SHELL_NAME = "get_ipython"
CREATE_INSIDE_FIX = "Create it inside the flow, a task or a setup cell (%%flow_setup) instead of using a global one."

CLASS_BODY_FIX = "Remove it from the class body; create it in the method that uses it."
LOSSY_KINDS = frozenset({"name", "class", "open file", "dict"})
"""Kinds of objects that can be pickled, but would be lost or different where they are loaded, or must not leave this machine."""
MAX_BYTES = 256 * 1024
MAX_CLASSES = 500
COPIED_TYPES = frozenset(
    {type(None), bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset}
)


def pickle_error(whole: WalkedFlow, error: BaseException | None) -> CannotPickle:
    """Return an error that names the object that cannot be pickled and its path from the flow."""
    reached = _find_culprit(whole) or _find_by_pickling(whole)
    name = whole.found.flow.name
    if reached is not None and SHELL_NAME in reached.path:
        return _shell_error(name, reached.path[: reached.path.index(SHELL_NAME) + 1])
    if reached is None:
        return CannotPickle(f"Flow {name!r} cannot be pickled: {str(error).rstrip('.')}.", fix=CREATE_INSIDE_FIX)
    which = f"{format_path(reached.path)} ({type_name(reached.value)})"
    reason = (reached.view.problem or str(error)).rstrip(".")
    return CannotPickle(f"Flow {name!r} cannot be pickled: {which}: {reason}.", fix=_suggest_fix(whole, reached))


def _suggest_fix(whole: WalkedFlow, reached: ReachedObject) -> str:
    if reached.view.kind == "class":
        return "Give the arguments of __init_subclass__ defaults."
    if reached.view.kind == "open file":
        return "Open it inside the task that reads or writes it; send its path."
    classes = [each for each in whole.reached if each.view.kind == "class" and isinstance(each.value, type)]
    if any(_leads_through(each, reached.path) for each in classes):
        return CLASS_BODY_FIX
    return CREATE_INSIDE_FIX


def _leads_through(cls: ReachedObject, path: tuple[str, ...]) -> bool:
    """Return whether a path leads through a member of a class; an instance has the same path as its class."""
    length = len(cls.path)
    return path[:length] == cls.path and len(path) > length and path[length].removeprefix(".") in vars(cls.value)


def _shell_error(name: str, path: tuple[str, ...]) -> CannotPickle:
    return CannotPickle(
        f"Flow {name!r} cannot be packed: {format_path(path)} is the notebook's IPython shell, "
        "which a magic or a ! command in a function requires.",
        fix="Write it as Python, such as subprocess.run, or move the line out of the function.",
    )


def _find_culprit(whole: WalkedFlow) -> ReachedObject | None:
    """Return the nearest object that cannot be pickled."""
    return next((reached for reached in whole.reached if reached.view.problem), None)


def refuse_lost_names(whole: WalkedFlow) -> None:
    """Refuse objects that could be pickled but must not be packed: names that exist only in this process, the environment.

    Raises:
        CannotPickle: there is such an object.
    """
    if any(each.view.problem and each.view.kind in LOSSY_KINDS for each in whole.reached):
        raise pickle_error(whole, None)


def refuse_setup_cells(whole: WalkedFlow) -> None:
    """Refuse setup cells that cannot run in a flow run.

    Raises:
        CannotPickle: there is such a cell.
    """
    for cell in list_setup_cells():
        if problem := find_problem(cell):
            first = next(filter(str.strip, cell.text.splitlines()), "")
            raise CannotPickle(
                f"Flow {whole.found.flow.name!r} cannot be packed: the setup cell that begins with {first!r} {problem}.",
                fix="Write it as plain Python, or move the line to a cell that is not a setup cell.",
            )


def refuse_load_failures(whole: WalkedFlow) -> None:
    """Refuse an object that can be pickled but not loaded again.

    Raises:
        CannotPickle: there is such an object.
    """
    failure = find_load_failure(whole.reached)
    if failure is None or _find_culprit(whole) is not None:
        return
    reached, error = failure
    which = f"{format_path(reached.path)} ({type_name(reached.value)})"
    reason = f"it can be pickled, but not loaded again: {describe_error(error)}"
    text = f"Flow {whole.found.flow.name!r} cannot be pickled: {which}: {reason.rstrip('.')}."
    raise CannotPickle(text, fix=_loading_fix(reason))


def _loading_fix(reason: str) -> str:
    if "__getattr__" in reason:
        return (
            'Make __getattr__ raise AttributeError for names that begin with "__" or are not in self.__dict__: '
            "attributes are not set yet while an object is loaded."
        )
    return (
        "Give the class __getstate__ and __setstate__ that restore it, or create the object inside the flow or a task."
    )


def size_error(whole: WalkedFlow, limit: int) -> ContentTooLarge:
    """Return an error that lists the largest values, by the variable that leads to them."""
    listed = ", ".join(
        f"{format_path(path)} ({size_text(size)})" for path, _, size in largest_variables(whole, LISTED_VALUES)
    )
    return ContentTooLarge(
        f"Flow {whole.found.flow.name!r} and its captured objects are larger than {size_text(limit)}. The largest: {listed}.",
        fix="Load large data inside the flow, or raise `content_limit` in the settings.",
    )


def largest_variables(whole: WalkedFlow, count: int) -> list[tuple[tuple[str, ...], object, int]]:
    """Return the variables that lead to the most data, largest first: path, value, and approximate size in bytes."""
    sizes: dict[tuple[str, ...], int] = {}
    values: dict[tuple[str, ...], object] = {}
    for reached in whole.reached:
        variable = _variable_path(reached.path)
        values.setdefault(variable, reached.value)
        sizes[variable] = sizes.get(variable, 0) + _own_size(reached)
    most = sorted(sizes, key=lambda path: -sizes[path])[:count]
    return [(path, values[path], sizes[path]) for path in most]


def _variable_path(path: tuple[str, ...]) -> tuple[str, ...]:
    """Return the path up to its last variable."""
    length = max(index for index, step in enumerate(path) if is_variable(step))
    return path[: length + 1]


def _own_size(reached: ReachedObject) -> int:
    """Return the bytes of raw data and text; for a long container, an estimate from its first thousand values."""
    if reached.view.buffer is not None:
        return reached.view.buffer.nbytes
    values = [part for _, part in islice(reached.view.parts, 1000)]
    atoms = sum(_atom_size(each) for each in _flatten(values))
    length = reached.view.facts[0] if reached.view.facts else 0
    return int(atoms * (length / 1000 if isinstance(length, int) and length > 1000 else 1))


def _flatten(values: Iterable[object]) -> list[object]:
    return [each for value in values for each in (value if isinstance(value, tuple) else (value,))]


def _atom_size(value: object) -> int:
    if isinstance(value, str):
        return len(value)
    return 9 if isinstance(value, (int, float)) else 0


def _find_by_pickling(whole: WalkedFlow) -> ReachedObject | None:
    """Return the first variable that fails when it is pickled alone, for objects whose problem appears only then."""
    for reached in whole.reached:
        if len(reached.path) > 1 and is_variable(reached.path[-1]):
            try:
                pickle_object(reached.value, io.BytesIO(), 64 * MIB)
            except Exception as error:  # the object's own code, which may raise anything
                return ReachedObject(reached.path, reached.value, reached.view._replace(problem=str(error)))
    return None


class LoadFailure(NamedTuple):
    """An object that cannot be loaded, and the error."""

    reached: ReachedObject
    error: Exception


def find_load_failure(everything: Iterable[ReachedObject]) -> LoadFailure | None:
    """Load one instance of each class of the notebook and of local modules; return the first failure."""
    tried: set[type] = set()
    for reached in everything:
        kind = type(reached.value)
        if reached.view.kind == "object" and kind not in tried and _is_users_class(kind) and len(tried) < MAX_CLASSES:
            tried.add(kind)
            if error := _load_error(reached.value):
                return LoadFailure(reached, error)
    return None


def describe_error(error: Exception) -> str:
    """Format an error's type, the function that raised it, and its text."""
    function = _raising_function(error.__traceback__)
    where = f"{type(error).__name__} in {function}" if function else type(error).__name__
    return where if isinstance(error, RecursionError) or not str(error) else f"{where}: {error}"


def _raising_function(traceback: TracebackType | None) -> str | None:
    name = None
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if traceback.tb_frame.f_globals.get("__name__") != __name__:
            name = getattr(code, "co_qualname", code.co_name)  # Python 3.10 has no qualified name
        traceback = traceback.tb_next
    return name


class _Pickler(FlowPickler):
    """Copies the user's objects and plain values; functions, classes and all other objects are passed by identity."""

    def __init__(self, file: CappedFile) -> None:
        super().__init__(file)
        self.shared: list[object] = []

    def persistent_id(self, value: object) -> int | None:
        kind = type(value)
        if kind in COPIED_TYPES or (_is_users_class(kind) and not issubclass(kind, type)):
            return None
        self.shared.append(value)
        return len(self.shared) - 1


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, shared: list[object]) -> None:
        super().__init__(file)
        self._shared = shared

    def persistent_load(self, pid: Any) -> object:
        return self._shared[pid]


def _is_users_class(kind: type) -> bool:
    module = kind.__module__
    return module == "__main__" or (isinstance(module, str) and is_local_name(module))


def _load_error(value: object) -> Exception | None:
    file = io.BytesIO()
    pickler = _Pickler(CappedFile(file, MAX_BYTES))
    try:
        pickler.dump(value)
    except Exception:  # the object is too large for this check, or packing reports the error
        return None
    file.seek(0)
    try:
        _Unpickler(file, pickler.shared).load()
    except Exception as error:  # the object's own code, which may raise anything
        return error
    return None
