"""Defaults that a class takes from Dask's configuration, which its signature does not show.

Dask's classes read them in their constructors, from a section (`dask.config.get("cloudprovider.gcp")`) or one by one
(`dask.config.get("kubernetes.image")`); those of dask-jobqueue from the section that they are named after (`config_name`).
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pydantic import JsonValue

READ = re.compile(r"""config\.get\(\s*["']([\w.-]+)["']""")


def configured(called: Callable[..., Any], functions: Iterable[Callable[..., Any]]) -> dict[str, JsonValue]:
    """Argument → what the configuration in force says, for those that it says something of."""
    import dask

    found: dict[str, JsonValue] = {}
    for place in _places(called, functions):
        value = dask.config.get(place, default=None)
        said = value if isinstance(value, dict) else {place.rpartition(".")[2]: value}
        found = {str(name).replace("-", "_"): each for name, each in said.items() if each is not None} | found
    return found


def _places(called: Callable[..., Any], functions: Iterable[Callable[..., Any]]) -> Iterator[str]:
    """Where in the configuration they read, the nearest first."""
    name = getattr(called, "config_name", None)
    if isinstance(name, str):
        yield f"jobqueue.{name}"
    for function in functions:
        yield from READ.findall(_source(function))


def _source(function: Callable[..., Any]) -> str:
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):  # made without a file
        return ""
