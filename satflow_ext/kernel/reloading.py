"""Check of objects that can be pickled but may fail when they are loaded again."""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterable
from types import TracebackType
from typing import Any, NamedTuple

from satflow_ext.kernel.local_modules import is_local_name
from satflow_ext.kernel.pickler import CappedFile, FlowPickler
from satflow_ext.kernel.reachable_objects import ReachedObject

MAX_BYTES = 256 * 1024
MAX_CLASSES = 500
COPIED_TYPES = frozenset(
    {type(None), bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset}
)


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
