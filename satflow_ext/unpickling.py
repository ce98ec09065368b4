"""Prevent a process from unpickling."""

from __future__ import annotations

import sys


class PickleRefused(RuntimeError):
    """A process that does not accept pickles received one."""


def refuse_pickles() -> None:
    """Prevent pickles from loading classes and functions in this process, so that they cannot run code. Cannot be undone."""
    sys.addaudithook(_refuse_find_class)


def _refuse_find_class(event: str, _arguments: tuple[object, ...]) -> None:
    if event == "pickle.find_class":
        raise PickleRefused("it sent a pickle, which this process does not accept")
