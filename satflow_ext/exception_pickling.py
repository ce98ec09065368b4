"""Pickling of exceptions: they are rebuilt from their arguments and attributes, without a call of their own `__init__`.

Python pickles an exception as `cls(*args)`, where `args` are the arguments of `BaseException`. A class whose `__init__` takes
other arguments cannot be unpickled, and the process that waits for the exception gets a TypeError, or waits forever.
"""

from __future__ import annotations

import copyreg
import pickle
import traceback
import types
from typing import Any

Reduced = tuple[Any, ...]
PICKLING_METHODS = (
    "__reduce__",
    "__reduce_ex__",
    "__getnewargs__",
    "__getnewargs_ex__",
    "__getstate__",
    "__setstate__",
)


class TaskException(Exception):
    """A replacement for an exception that cannot be unpickled elsewhere, with its type, message and traceback."""


def needs_rebuilding(cls: type) -> bool:
    """Return whether an exception class defines `__init__` or `__new__` in Python, and no pickling methods."""
    if not issubclass(cls, BaseException):
        return False
    own = [base for base in cls.__mro__ if not _is_builtin(base)]
    pickles = any(name in vars(base) for base in own for name in PICKLING_METHODS)
    return not pickles and any(
        isinstance(vars(base).get(name), (types.FunctionType, staticmethod))
        for base in own
        for name in ("__init__", "__new__")
    )


def reduce_exception(error: BaseException) -> Reduced:
    """Reduce an exception for pickle: its class, arguments and attributes."""
    return rebuild_exception, (type(error), error.args), vars(error) or None


def rebuild_exception(cls: type[BaseException], args: tuple[Any, ...]) -> BaseException:
    """Create an exception by the constructor of its built-in base class, which also sets attributes such as `errno`."""
    base: Any = next(each for each in cls.__mro__ if _is_builtin(each))
    error: BaseException = base.__new__(cls, *args)
    base.__init__(error, *args)  # not the class's own `__init__`, which takes other arguments
    return error


def register_exception(cls: type) -> None:
    """Make all picklers of this process rebuild exceptions of a class, if the class needs it."""
    if needs_rebuilding(cls):
        copyreg.pickle(cls, reduce_exception)


def make_picklable(error: BaseException) -> BaseException:
    """Return an exception that another process can unpickle: the same, or a `TaskException`.

    Args:
        error: the exception that a task raised.
    """
    import cloudpickle

    for each in _list_exceptions(error):
        register_exception(type(each))
    try:
        pickle.loads(cloudpickle.dumps(error))  # noqa: S301  # pickled on the same line
    except Exception as problem:  # the exception's own methods may raise anything
        text = "".join(traceback.format_exception(error))
        return TaskException(
            f"{type(error).__name__}: {error}\n\nThe exception itself cannot leave its process "
            f"({type(problem).__name__}: {problem}). Its traceback:\n{text}"
        )
    return error


def make_state_picklable(state: Any) -> Any:
    """Return a task run's final state, with an exception that another process can unpickle.

    Args:
        state: Prefect's state, whose data is an exception, or the record of a result that is one.
    """
    if isinstance(state.data, BaseException):
        return state.model_copy(update={"data": make_picklable(state.data)})
    result = getattr(state.data, "result", None)
    if isinstance(result, BaseException):
        return state.model_copy(update={"data": state.data.model_copy(update={"result": make_picklable(result)})})
    return state


def _list_exceptions(error: BaseException) -> list[BaseException]:
    """List the exception and, for a group (Python 3.11), its exceptions."""
    inner = getattr(error, "exceptions", ())
    inner = inner if isinstance(inner, tuple) else ()
    return [error, *(each for part in inner if isinstance(part, BaseException) for each in _list_exceptions(part))]


def _is_builtin(cls: type) -> bool:
    return cls.__module__ == "builtins"
