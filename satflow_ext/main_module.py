"""The `__main__` of a flow run, which contains the functions and classes of the notebook under their names.

They keep `__module__ == "__main__"`, so `pickle`, `multiprocessing` and files that the notebook has pickled look for them
there. A process that a run starts by `spawn` or `forkserver` executes the file of this module as its own `__main__`, which
loads the flow's content at the first lookup of such a name. `multiprocessing` sends these functions and classes by value,
because a task on a Dask worker or in another process has copies of functions, which cannot be found by name. Uses the standard
library and cloudpickle only, because it is imported wherever tasks run.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import sys
import types
from collections.abc import Iterable
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

from satflow_ext import setup_cells
from satflow_ext.exception_pickling import (
    TaskException,
    make_picklable,
    needs_rebuilding,
    reduce_exception,
    register_exception,
)
from satflow_ext.loggers import register_logger_pickling

MAIN = "__main__"
CHILD_MAIN = "__mp_main__"
"""Name of the main module in a process that `multiprocessing` has started."""
MAIN_FILE = "satflow_main.py"
"""File in the folder of a run. Its name starts with the prefix that data files must not have (`models.RESERVED_PREFIX`)."""
CONTENT_SUFFIX = ".pkl"
"""Suffix of the file next to it: the pickled flow, verified by the run."""

MAIN_TEMPLATE = '''"""The `__main__` of processes that this flow run starts."""
from satflow_ext.main_module import load_missing as __getattr__
from satflow_ext.main_module import send_by_value
from satflow_ext.setup_cells import run

send_by_value()
run({cells!r}, globals())
'''


def create_main_module(folder: str) -> None:
    """Create the `__main__` of this flow run. A process that a run has started already has one.

    Args:
        folder: the private folder of the run.
    """
    if _is_child():
        return
    module = types.ModuleType(MAIN)
    module.__file__ = str(Path(folder, MAIN_FILE))
    vars(module).update(_satflow_replaced=sys.modules[MAIN])  # keeps the replaced module, whose code still runs
    sys.modules[MAIN] = sys.modules[CHILD_MAIN] = module
    send_by_value()
    register_logger_pickling()


def add_definitions(objects: Iterable[object]) -> None:
    """Add functions and classes of the notebook to the `__main__` of this flow run, except under names that are taken."""
    main = vars(sys.modules[MAIN])
    main.update({name: each for name, each in _map_by_name(objects).items() if name not in main})


def write_main_files(pickled_flow: memoryview, folder: Path) -> None:
    """Write the files from which processes that this flow run starts create their `__main__`.

    Args:
        pickled_flow: the pickled flow, verified.
        folder: the private folder of the run.
    """
    file = folder / MAIN_FILE
    file.with_suffix(CONTENT_SUFFIX).write_bytes(pickled_flow)
    file.write_text(MAIN_TEMPLATE.format(cells=setup_cells.cells_as_tuples()))


def publish_definitions(objects: Iterable[object]) -> None:
    """Add functions and classes of the notebook to the `__main__` of this process.

    The latest object of a name replaces the others: each task that a Dask worker receives brings its own copies of functions.
    """
    send_by_value()
    register_logger_pickling()
    vars(sys.modules[MAIN]).update(_map_by_name(objects))


def load_missing(name: str) -> Any:
    """Look up a name of the notebook in a process that a flow run has started: the `__getattr__` of its `__main__`.

    Raises:
        AttributeError: the flow reaches no object with that name.
    """
    if _is_child() and not name.startswith("__"):
        import cloudpickle

        main = sys.modules[MAIN]
        # The flow run wrote this file into its private folder, from verified content. Loading it calls `create`.
        with Path(str(main.__file__)).with_suffix(CONTENT_SUFFIX).open("rb") as pickled:
            cloudpickle.load(pickled)
        if name in vars(main):
            return vars(main)[name]
    raise AttributeError(f"module {MAIN!r} has no attribute {name!r}")


def send_by_value() -> None:
    """Make `multiprocessing` send functions and classes of the notebook by value, also back from other processes."""
    ForkingPickler.reducer_override = _reduce_object  # type: ignore[method-assign,assignment]  # a hook of every pickle.Pickler


def allow_children() -> None:
    """Allow this process to start child processes, which a daemon such as a Dask worker may not."""
    process = multiprocessing.current_process()
    if process.daemon:
        process.daemon = False


def is_defined_in_main(value: object) -> bool:
    """Return whether this process's `__main__` contains that function or class under its own name."""
    if not isinstance(value, (types.FunctionType, type)) or value.__module__ != MAIN:
        return False
    return vars(sys.modules[MAIN]).get(value.__qualname__) is value


def _is_child() -> bool:
    """Return whether this process has executed the file of a run's `__main__` as its own."""
    main = sys.modules[MAIN]
    return os.path.basename(getattr(main, "__file__", None) or "") == MAIN_FILE and "_satflow_replaced" not in vars(
        main
    )


def _map_by_name(objects: Iterable[object]) -> dict[str, Any]:
    """Map names to functions and classes, and register pickling for the exceptions among them."""
    named = {each.__name__: each for each in objects if isinstance(each, (types.FunctionType, type))}
    for each in named.values():
        if isinstance(each, type):
            register_exception(each)
    return named


def _reduce_object(pickler: ForkingPickler, value: Any) -> Any:
    """Reduce objects that only cloudpickle can send (`reducer_override` of `multiprocessing`'s pickler)."""
    import cloudpickle

    if (name := setup_cells.find_name(value)) is not None:
        return setup_cells.reduce_by_name(name)
    if isinstance(value, (types.FunctionType, type)) and value.__module__ in (MAIN, CHILD_MAIN):
        return _unpickle_by_value, (cloudpickle.dumps(value),)
    return _reduce_exception(value) if isinstance(value, BaseException) else NotImplemented


def _reduce_exception(error: BaseException) -> Any:
    """Reduce an exception so that it can be unpickled; if that is impossible, to its type, message and traceback."""
    sent = make_picklable(error)
    if sent is not error:
        return TaskException, sent.args
    return reduce_exception(error) if needs_rebuilding(type(error)) else NotImplemented


def _unpickle_by_value(data: bytes) -> Any:
    send_by_value()
    return pickle.loads(data)  # noqa: S301  # multiprocessing's own pipe, from a process of the same run
