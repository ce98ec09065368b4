"""Objects that belong to a process: its environment, arguments, streams and random state. They are pickled by reference.

A copy would bring the notebook's credentials into the stored content, use its streams, and give each run the same random numbers.
"""

from __future__ import annotations

import os
import sys
import types
from collections.abc import Mapping
from typing import Any, NamedTuple

from satflow_ext import setup_cells

ORDINARY_TYPES = frozenset(
    {type(None), bool, int, float, complex, str, bytes, tuple, types.FunctionType, types.CodeType, type}
)
"""Types that no such object has."""
PROCESS_ATTRIBUTES = (
    ("os", "environ"),
    ("os", "environb"),
    ("sys", "argv"),
    ("sys", "orig_argv"),
    ("sys", "path"),
    ("sys", "path_hooks"),
    ("sys", "path_importer_cache"),
    ("sys", "meta_path"),
    ("sys", "modules"),
    ("sys", "warnoptions"),
    ("sys", "stdin"),
    ("sys", "stdout"),
    ("sys", "stderr"),
    ("sys", "__stdin__"),
    ("sys", "__stdout__"),
    ("sys", "__stderr__"),
    ("random", "_inst"),  # `from random import randint` imports one of its methods
    ("numpy.random.mtrand", "_rand"),  # as does `from numpy.random import rand`
    ("logging", "root"),
    ("warnings", "filters"),
)
"""(module, attribute) of each object; modules that are not imported are skipped."""

COPIED_SHARE = 0.8
"""A mapping with this share of the variables of the environment, and their values, is a copy of it."""
MIN_VARIABLES = 5


class Reference(NamedTuple):
    """The module and name of an object that exists in each process."""

    module: str
    name: str


class ByReference:
    """A placeholder for a list or dictionary while it is pickled, as picklers have no hook to reduce these types."""

    def __init__(self, reference: Reference) -> None:
        self.reference = reference

    def __reduce__(self) -> tuple[Any, ...]:
        return reduce_reference(self.reference)


def find_reference(value: object) -> Reference | None:
    """Return the reference to an object of the process or of a setup cell; None for any other object."""
    if (found := setup_cells.find_name(value)) is not None:
        return Reference("__main__", found)
    if type(value) in ORDINARY_TYPES:
        return None
    for module, name in PROCESS_ATTRIBUTES:
        if module in sys.modules and getattr(sys.modules[module], name, None) is value:
            return Reference(module, name)
    return None


def reduce_reference(reference: Reference) -> tuple[Any, ...]:
    """Return the reduction with which the loading process gets its own object."""
    if reference.module == "__main__":
        return setup_cells.reduce_by_name(reference.name)
    return getattr, (sys.modules[reference.module], reference.name)


def replace_globals(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return globals in which objects of setup cells, and lists and dictionaries of the process, are replaced by references."""
    return {name: to_reference(setup_cells.replace_by_reference(name, value)) for name, value in values.items()}


def to_reference(value: Any) -> Any:
    """Return a reference for a list or dictionary of the process, and any other value unchanged."""
    if type(value) not in (list, dict):
        return value
    reference = find_reference(value)
    return ByReference(reference) if reference is not None else value


def is_environment_copy(mapping: Mapping[object, object]) -> bool:
    """Return whether a mapping holds most of this process's environment variables."""
    environment = os.environ
    if len(environment) < MIN_VARIABLES or len(mapping) < COPIED_SHARE * len(environment):
        return False
    if "PATH" in environment and mapping.get("PATH") != environment["PATH"]:
        return False
    equal = sum(mapping.get(name) == value for name, value in environment.items())
    return equal >= COPIED_SHARE * len(environment)
