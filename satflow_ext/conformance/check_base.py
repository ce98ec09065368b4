"""A check: what is expected of a store, and the asking for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from satflow_ext.conformance.probe import Probe

Act = Callable[[Probe], Awaitable[None]]
Outcome = Literal["pass", "fail", "not applicable"]


class Wrong(Exception):
    """The store did something else than what was expected; says what."""


class NotApplicable(Exception):
    """The question makes no sense for this store; says why."""


@dataclass(frozen=True)
class Check:
    """One expectation.

    Args:
        name: `group.name`, which stays the same from version to version.
        text: what is expected, in one line.
        required: whether SatFlow needs it.
        act: asks; raises `Wrong` or `NotApplicable`.
    """

    name: str
    text: str
    required: bool
    act: Act


@dataclass(frozen=True)
class Result:
    """How one check went, and why where it did not pass."""

    check: Check
    outcome: Outcome
    why: str | None = None


class Group:
    """The checks of one module, in the order in which they stand there.

    Args:
        name: first part of their names.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self.checks: list[Check] = []

    def required(self, act: Act) -> Act:
        """Take a function for a required check: its name is the check's, its docstring says what is expected."""
        return self._take(act, required=True)

    def recommended(self, act: Act) -> Act:
        """The same for a recommended one."""
        return self._take(act, required=False)

    def add(self, name: str, text: str, act: Act, *, required: bool) -> None:
        """Take one of several checks that differ in a value."""
        self.checks.append(Check(f"{self._name}.{name}", text, required, act))

    def _take(self, act: Act, *, required: bool) -> Act:
        name = act.__name__.replace("_", "-")
        text = (act.__doc__ or "").strip().rstrip(".")
        self.add(name, text, act, required=required)
        return act


def expect(well: bool, otherwise: str) -> None:
    """Raise `Wrong` with these words unless all is well."""
    if not well:
        raise Wrong(otherwise)
