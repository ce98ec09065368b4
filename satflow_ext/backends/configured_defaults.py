"""Defaults that a class reads from Dask's configuration, and that its signature does not show.

Dask's classes read them in their constructors, from a section (`dask.config.get("cloudprovider.gcp")`) or one by one
(`dask.config.get("kubernetes.image")`). dask-jobqueue's classes read the section that `config_name` names.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pydantic import JsonValue

CONFIG_READ = re.compile(r"""config\.get\(\s*["']([\w.-]+)["']""")


def read_configured_defaults(
    called: Callable[..., Any], functions: Iterable[Callable[..., Any]]
) -> dict[str, JsonValue]:
    """Return the value of each argument that the current configuration sets."""
    import dask

    found: dict[str, JsonValue] = {}
    for place in _config_keys(called, functions):
        value = dask.config.get(place, default=None)
        said = value if isinstance(value, dict) else {place.rpartition(".")[2]: value}
        found = {str(name).replace("-", "_"): each for name, each in said.items() if each is not None} | found
    return found


def _config_keys(called: Callable[..., Any], functions: Iterable[Callable[..., Any]]) -> Iterator[str]:
    """Yield the configuration keys that the class reads, most specific first."""
    name = getattr(called, "config_name", None)
    if isinstance(name, str):
        yield f"jobqueue.{name}"
    for function in functions:
        yield from CONFIG_READ.findall(_read_source(function))


def _read_source(function: Callable[..., Any]) -> str:
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):  # defined without a source file
        return ""
