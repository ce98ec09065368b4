"""Keep a process from unpickling anything."""

from __future__ import annotations

import sys


class PickleRefused(RuntimeError):
    """Another process sent something pickled to a process that reads no pickles."""


def refuse_pickles() -> None:
    """From now on no pickle finds a class or function in this process, so none can run code. This cannot be undone."""
    sys.addaudithook(_refuse)


def _refuse(event: str, _arguments: tuple[object, ...]) -> None:
    if event == "pickle.find_class":
        raise PickleRefused("it sent something pickled, which is not read here")
