"""The installed distributions that a flow refers to, by names in its pickle and by imports in its functions."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import CodeType

from satflow_ext.environments.installed import find_providers
from satflow_ext.kernel.code_facts import imported_names
from satflow_ext.kernel.reachable_objects import ReachedObject

ALWAYS_USED = frozenset({"prefect", "cloudpickle"})
"""Modules that are required to load and run every flow content."""


def list_distributions(modules: frozenset[str]) -> tuple[str, ...]:
    """Return the sorted names of the distributions that provide these modules or that every flow needs."""
    return find_providers((modules - sys.stdlib_module_names) | ALWAYS_USED)


def used_modules(everything: Iterable[ReachedObject]) -> frozenset[str]:
    """Return the top-level modules that the reached objects refer to."""
    return frozenset(name.partition(".")[0] for reached in everything for name in _referenced_modules(reached))


def _referenced_modules(reached: ReachedObject) -> list[str]:
    """Return the modules that one object refers to."""
    kind, facts = reached.view.kind, reached.view.facts
    if kind == "name":
        return [str(facts[0]).partition(":")[0]]
    if kind == "module":
        return [str(facts[0])]
    if isinstance(reached.value, CodeType):
        return [name for name, level in imported_names(reached.value) if not level]
    return []
