"""What a cluster class can be called with: its own keyword arguments, and those that it hands on."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


@dataclass(frozen=True)
class Parameters:
    """Keyword arguments by name, and whether that is all: `open` where any others are taken as well."""

    named: dict[str, inspect.Parameter]
    open: bool

    @property
    def required(self) -> list[str]:
        """The names of those that have no default."""
        return [name for name, each in self.named.items() if each.default is inspect.Parameter.empty]

    def unknown(self, names: list[str]) -> list[str]:
        """Those of the names that are no keyword argument."""
        return [] if self.open else [name for name in names if name not in self.named]


def imported(path: str) -> Callable[..., Any]:
    """What `module:Class` names.

    Raises:
        ImportError: there is no such module, or something that it imports is missing.
        AttributeError: the module has nothing of that name.
        TypeError: what it has cannot be called.
    """
    module, _, name = path.partition(":")
    found = getattr(importlib.import_module(module), name)
    if not callable(found):
        raise TypeError(f"{path} is no class")
    return found  # type: ignore[no-any-return]  # `callable` says no more


def parameters(called: Callable[..., Any]) -> Parameters:
    """The keyword arguments of a class, down its bases as long as each hands on what it does not know, or of a function."""
    functions = handed_on(called)
    named: dict[str, inspect.Parameter] = {}
    for each in functions:
        named |= {name: argument for name, argument in _named(each).items() if name not in named}
    return Parameters(named, open=not functions or _hands_on(functions[-1]))


def handed_on(called: Callable[..., Any]) -> list[Callable[..., Any]]:
    """The functions that get its keyword arguments, in the order in which they do: each but the last hands them on."""
    reached: list[Callable[..., Any]] = []
    for each in _in_turn(called):
        reached.append(each)
        if not _hands_on(each):
            break
    return reached


def _in_turn(called: Callable[..., Any]) -> list[Callable[..., Any]]:
    """The constructors of a class and its bases, the first that is called first; a function is its own."""
    if not isinstance(called, type):
        return [called]
    job = getattr(called, "job_cls", None)
    if not isinstance(job, type):
        return _constructors(called)
    # dask-jobqueue hands what it does not know to the class that its jobs are made of, not to its own bases.
    own = [each for each in _constructors(called) if not each.__module__.startswith("distributed.")]
    return [*own, *_constructors(job)]


def _constructors(cls: type) -> list[Callable[..., Any]]:
    return [vars(each)["__init__"] for each in cls.__mro__ if each is not object and "__init__" in vars(each)]


def _named(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    every = inspect.signature(function).parameters
    return {name: each for name, each in every.items() if each.kind in NAMED and name != "self"}


def _hands_on(function: Callable[..., Any]) -> bool:
    every = inspect.signature(function).parameters.values()
    return any(each.kind is inspect.Parameter.VAR_KEYWORD for each in every)
