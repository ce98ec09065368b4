"""Keyword arguments of a cluster class: its own, and those that it passes on to its bases."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


@dataclass(frozen=True)
class Parameters:
    """Keyword arguments by name. `open` means that any other names are accepted as well."""

    named: dict[str, inspect.Parameter]
    open: bool

    @property
    def required(self) -> list[str]:
        """Names of the arguments without a default."""
        return [name for name, each in self.named.items() if each.default is inspect.Parameter.empty]

    def unknown(self, names: list[str]) -> list[str]:
        """Return the names that are not keyword arguments."""
        return [] if self.open else [name for name in names if name not in self.named]


def imported(path: str) -> Callable[..., Any]:
    """Import the class or function that `module:Class` names.

    Raises:
        ImportError: the module does not exist, or one of its imports is missing.
        AttributeError: the module has no attribute with this name.
        TypeError: the attribute is not callable.
    """
    module, _, name = path.partition(":")
    found = getattr(importlib.import_module(module), name)
    if not callable(found):
        raise TypeError(f"{path} is not a class")
    return found  # type: ignore[no-any-return]  # `callable` does not narrow it further


def parameters(called: Callable[..., Any]) -> Parameters:
    """Return the keyword arguments of a function, or of a class and those bases to which it passes unknown arguments."""
    functions = handed_on(called)
    named: dict[str, inspect.Parameter] = {}
    for each in functions:
        named |= {name: argument for name, argument in _named(each).items() if name not in named}
    return Parameters(named, open=not functions or _hands_on(functions[-1]))


def handed_on(called: Callable[..., Any]) -> list[Callable[..., Any]]:
    """Return the functions that receive the keyword arguments, in call order: each but the last passes them on."""
    reached: list[Callable[..., Any]] = []
    for each in _in_turn(called):
        reached.append(each)
        if not _hands_on(each):
            break
    return reached


def _in_turn(called: Callable[..., Any]) -> list[Callable[..., Any]]:
    """Return the constructors of a class and its bases in call order, or the function itself."""
    if not isinstance(called, type):
        return [called]
    job = getattr(called, "job_cls", None)
    if not isinstance(job, type):
        return _constructors(called)
    # dask-jobqueue passes unknown arguments to its job class, not to its own bases.
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
