"""Checks: an expectation about a store, and the function that tests it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from satflow_ext.conformance.probe import Probe

CheckFunction = Callable[[Probe], Awaitable[None]]
Outcome = Literal["pass", "fail", "not applicable"]


class CheckFailed(Exception):
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
        function: function that runs the check; it raises `Wrong` or `NotApplicable`.
    """

    name: str
    text: str
    required: bool
    function: CheckFunction


@dataclass(frozen=True)
class CheckResult:
    """The outcome of one check, and the reason if it did not pass."""

    check: Check
    outcome: Outcome
    reason: str | None = None


class CheckGroup:
    """The checks of one module, in the order of their definition.

    Args:
        name: first part of the checks' names.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self.checks: list[Check] = []

    def required(self, act: CheckFunction) -> CheckFunction:
        """Add a function as a required check; its name is the check's name, its docstring the expectation."""
        return self._add_function(act, required=True)

    def recommended(self, act: CheckFunction) -> CheckFunction:
        """Add a function as a recommended check."""
        return self._add_function(act, required=False)

    def add(self, name: str, text: str, act: CheckFunction, *, required: bool) -> None:
        """Add a check, such as one of several that differ in a value."""
        self.checks.append(Check(f"{self._name}.{name}", text, required, act))

    def _add_function(self, act: CheckFunction, *, required: bool) -> CheckFunction:
        name = act.__name__.replace("_", "-")
        text = (act.__doc__ or "").strip().rstrip(".")
        self.add(name, text, act, required=required)
        return act


def expect(condition: bool, message: str) -> None:
    """Raise `Wrong` with a message unless the condition holds."""
    if not condition:
        raise CheckFailed(message)
