"""Checks: an expectation about a store, and the function that tests it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from satflow_ext.conformance.probe import Probe

Act = Callable[[Probe], Awaitable[None]]
Outcome = Literal["pass", "fail", "not applicable"]


class Wrong(Exception):
    """The store did not behave as expected; the message has the difference."""


class NotApplicable(Exception):
    """The check does not apply to this store; the message has the reason."""


@dataclass(frozen=True)
class Check:
    """A check of one expectation.

    Args:
        name: `group.name`, which does not change between versions.
        text: expectation in one line.
        required: whether SatFlow needs the behavior.
        act: function that runs the check; it raises `Wrong` or `NotApplicable`.
    """

    name: str
    text: str
    required: bool
    act: Act


@dataclass(frozen=True)
class Result:
    """The outcome of one check, and the reason if it did not pass."""

    check: Check
    outcome: Outcome
    why: str | None = None


class Group:
    """The checks of one module, in the order of their definition.

    Args:
        name: first part of the checks' names.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self.checks: list[Check] = []

    def required(self, act: Act) -> Act:
        """Add a function as a required check; its name is the check's name, its docstring the expectation."""
        return self._take(act, required=True)

    def recommended(self, act: Act) -> Act:
        """Add a function as a recommended check."""
        return self._take(act, required=False)

    def add(self, name: str, text: str, act: Act, *, required: bool) -> None:
        """Add a check, such as one of several that differ in a value."""
        self.checks.append(Check(f"{self._name}.{name}", text, required, act))

    def _take(self, act: Act, *, required: bool) -> Act:
        name = act.__name__.replace("_", "-")
        text = (act.__doc__ or "").strip().rstrip(".")
        self.add(name, text, act, required=required)
        return act


def expect(well: bool, otherwise: str) -> None:
    """Raise `Wrong` with a message unless the condition holds."""
    if not well:
        raise Wrong(otherwise)
