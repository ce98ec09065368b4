"""Keyword arguments of a cluster class: its own, and those that it passes on to its bases."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

KEYWORD_KINDS = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


@dataclass(frozen=True)
class Parameters:
    """Keyword arguments by name. `open` means that any other names are accepted as well."""

    named: dict[str, inspect.Parameter]
    accepts_any: bool

    @property
    def required(self) -> list[str]:
        """Names of the arguments without a default."""
        return [name for name, each in self.named.items() if each.default is inspect.Parameter.empty]

    def unknown_names(self, names: list[str]) -> list[str]:
        """Return the names that are not keyword arguments."""
        return [] if self.accepts_any else [name for name in names if name not in self.named]


class ClassCheck(BaseModel):
    """The result of a check. `details` has the reason why a class is missing, or the names of the arguments that do not fit."""

    model_config = ConfigDict(frozen=True)

    outcome: Literal["fits", "missing", "unknown", "required"]
    details: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()


def import_class(path: str) -> Callable[..., Any]:
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


def read_parameters(target: Callable[..., Any]) -> Parameters:
    """Return the keyword arguments of a function, or of a class and those bases to which it passes unknown arguments."""
    functions = receiving_functions(target)
    named: dict[str, inspect.Parameter] = {}
    for each in functions:
        named |= {name: argument for name, argument in _keyword_parameters(each).items() if name not in named}
    return Parameters(named, accepts_any=not functions or _passes_keywords_on(functions[-1]))


def receiving_functions(target: Callable[..., Any]) -> list[Callable[..., Any]]:
    """Return the functions that receive the keyword arguments, in call order: each but the last passes them on."""
    reached: list[Callable[..., Any]] = []
    for each in _call_order(target):
        reached.append(each)
        if not _passes_keywords_on(each):
            break
    return reached


def _call_order(target: Callable[..., Any]) -> list[Callable[..., Any]]:
    """Return the constructors of a class and its bases in call order, or the function itself."""
    if not isinstance(target, type):
        return [target]
    job = getattr(target, "job_cls", None)
    if not isinstance(job, type):
        return _list_constructors(target)
    # dask-jobqueue passes unknown arguments to its job class, not to its own bases.
    own = [each for each in _list_constructors(target) if not each.__module__.startswith("distributed.")]
    return [*own, *_list_constructors(job)]


def _list_constructors(cls: type) -> list[Callable[..., Any]]:
    return [vars(each)["__init__"] for each in cls.__mro__ if each is not object and "__init__" in vars(each)]


def _keyword_parameters(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    every = inspect.signature(function).parameters
    return {name: each for name, each in every.items() if each.kind in KEYWORD_KINDS and name != "self"}


def _passes_keywords_on(function: Callable[..., Any]) -> bool:
    every = inspect.signature(function).parameters.values()
    return any(each.kind is inspect.Parameter.VAR_KEYWORD for each in every)
