"""The `__main__` of a flow run: functions and classes of the notebook are found there by their names, as in the notebook.

They keep `__module__ == "__main__"`, and so `pickle`, `multiprocessing` and files that the notebook has pickled look there for
them. A process that a run starts by `spawn` or `forkserver` executes the file of this module as its own `__main__`, which loads
the flow's content when one is first looked up. `multiprocessing` sends them by value, since a task on a Dask worker or in another
process has copies of functions, which no name leads to. Uses the standard library and cloudpickle only: it is imported wherever
tasks run.
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
from satflow_ext.exception_pickling import TaskException, needs_rebuilding, readable, reduce_exception, register
from satflow_ext.loggers import keep_levels

MAIN = "__main__"
CHILD_MAIN = "__mp_main__"
"""What `multiprocessing` calls it in a process that it has started."""
FILE = "satflow_main.py"
"""Written into the folder of a run; its name begins with what no data file's may (`models.OWN_FILES`)."""
CONTENT = ".pkl"
"""Beside it: the pickled flow, as the run has verified it."""

TEXT = '''"""The `__main__` of processes that this flow run starts."""
from satflow_ext.main_module import load_missing as __getattr__
from satflow_ext.main_module import send_by_value
from satflow_ext.setup_cells import run

send_by_value()
run({cells!r}, globals())
'''


def create(folder: str) -> None:
    """Make the `__main__` of this flow run; a process that a run has started has one.

    Args:
        folder: of the run, private.
    """
    if _is_child():
        return
    module = types.ModuleType(MAIN)
    module.__file__ = str(Path(folder, FILE))
    vars(module).update(_satflow_replaced=sys.modules[MAIN])  # whose code still runs
    sys.modules[MAIN] = sys.modules[CHILD_MAIN] = module
    send_by_value()
    keep_levels()


def add(objects: Iterable[object]) -> None:
    """Let functions and classes of the notebook be found in the `__main__` of this flow run, where nothing has their name."""
    main = vars(sys.modules[MAIN])
    main.update({name: each for name, each in _by_name(objects).items() if name not in main})


def keep(body: memoryview, folder: Path) -> None:
    """Write the files from which processes that this flow run starts make their `__main__`.

    Args:
        body: the pickled flow, verified.
        folder: of the run, private.
    """
    file = folder / FILE
    file.with_suffix(CONTENT).write_bytes(body)
    file.write_text(TEXT.format(cells=setup_cells.as_tuples()))


def publish(objects: Iterable[object]) -> None:
    """Let functions and classes of the notebook be found in the `__main__` that this process has.

    The latest one of a name counts: each task that a Dask worker is sent brings its own copies of functions.
    """
    send_by_value()
    keep_levels()
    vars(sys.modules[MAIN]).update(_by_name(objects))


def load_missing(name: str) -> Any:
    """Look a name of the notebook up in a process that a flow run has started: the `__getattr__` of its `__main__`.

    Raises:
        AttributeError: the flow reaches nothing of that name.
    """
    if _is_child() and not name.startswith("__"):
        import cloudpickle

        main = sys.modules[MAIN]
        # Written by the flow run into its private folder, from a content that it has verified. Loading it calls `create`.
        with Path(str(main.__file__)).with_suffix(CONTENT).open("rb") as pickled:
            cloudpickle.load(pickled)
        if name in vars(main):
            return vars(main)[name]
    raise AttributeError(f"module {MAIN!r} has no attribute {name!r}")


def send_by_value() -> None:
    """Let `multiprocessing` send functions and classes of the notebook by value, also back from other processes."""
    ForkingPickler.reducer_override = _reduce  # type: ignore[method-assign,assignment]  # a hook of every pickle.Pickler


def allow_children() -> None:
    """Let this process start processes of its own: a Dask worker is a daemon, which may not."""
    process = multiprocessing.current_process()
    if process.daemon:
        process.daemon = False


def defines(value: object) -> bool:
    """Return whether this process's `__main__` has that function or class under its own name."""
    if not isinstance(value, (types.FunctionType, type)) or value.__module__ != MAIN:
        return False
    return vars(sys.modules[MAIN]).get(value.__qualname__) is value


def _is_child() -> bool:
    """Return whether this process has executed the file of a run's `__main__` as its own."""
    main = sys.modules[MAIN]
    return os.path.basename(getattr(main, "__file__", None) or "") == FILE and "_satflow_replaced" not in vars(main)


def _by_name(objects: Iterable[object]) -> dict[str, Any]:
    """Return functions and classes by their names; exceptions among them can be sent from here on."""
    named = {each.__name__: each for each in objects if isinstance(each, (types.FunctionType, type))}
    for each in named.values():
        if isinstance(each, type):
            register(each)
    return named


def _reduce(pickler: ForkingPickler, value: Any) -> Any:
    """Reduce what only cloudpickle can send: `reducer_override` of `multiprocessing`'s pickler."""
    import cloudpickle

    if (name := setup_cells.name_of(value)) is not None:
        return setup_cells.reduce_by_name(name)
    if isinstance(value, (types.FunctionType, type)) and value.__module__ in (MAIN, CHILD_MAIN):
        return _load, (cloudpickle.dumps(value),)
    return _reduce_exception(value) if isinstance(value, BaseException) else NotImplemented


def _reduce_exception(error: BaseException) -> Any:
    """Reduce an exception so that it can be read: where that cannot be, its type, message and traceback."""
    sent = readable(error)
    if sent is not error:
        return TaskException, sent.args
    return reduce_exception(error) if needs_rebuilding(type(error)) else NotImplemented


def _load(data: bytes) -> Any:
    send_by_value()
    return pickle.loads(data)  # noqa: S301  # multiprocessing's own pipe, from a process of the same run
