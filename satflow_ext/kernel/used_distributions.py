"""Which installed distributions a flow refers to: by what its pickle names, and by what its functions import."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import CodeType

from satflow_ext.environments.installed import providing
from satflow_ext.kernel.code_facts import imported_names
from satflow_ext.kernel.reachable_objects import Reached

ALWAYS = frozenset({"prefect", "cloudpickle"})
"""Modules that every flow content needs to be read and run."""


def uses(modules: frozenset[str]) -> tuple[str, ...]:
    """Names of the distributions that provide the modules that a flow refers to, and those that every flow needs, sorted."""
    return providing((modules - sys.stdlib_module_names) | ALWAYS)


def used_modules(everything: Iterable[Reached]) -> frozenset[str]:
    """Return the top-level modules that what a flow reaches refers to."""
    return frozenset(name.partition(".")[0] for reached in everything for name in _modules(reached))


def _modules(reached: Reached) -> list[str]:
    """Modules that one thing names."""
    kind, facts = reached.view.kind, reached.view.facts
    if kind == "name":
        return [str(facts[0]).partition(":")[0]]
    if kind == "module":
        return [str(facts[0])]
    if isinstance(reached.value, CodeType):
        return [name for name, level in imported_names(reached.value) if not level]
    return []
