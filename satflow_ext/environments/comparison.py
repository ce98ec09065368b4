"""How the environment of a run compares with the one that a flow was registered with. Decides without looking anything up."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from packaging.version import InvalidVersion, Version

from satflow_ext.models import Environment

Verdict = Literal["same", "compatible", "different"]

SHOWN = 20
"""Differences that are listed; the rest is counted."""


@dataclass(frozen=True)
class Difference:
    """One thing that is not the same. `here` None: it is not installed. `used`: the flow refers to it."""

    name: str
    then: str
    here: str | None
    used: bool

    @property
    def breaks(self) -> bool:
        """Whether that can change what the flow's own code meets: another major or minor version, or none at all."""
        return self.used and (self.here is None or _series(self.here) != _series(self.then))

    def __str__(self) -> str:
        return f"{self.name} {self.then} then, {self.here or 'not installed'} here"


@dataclass(frozen=True)
class Comparison:
    """Everything that is not the same, what the flow refers to first."""

    differences: tuple[Difference, ...]

    @property
    def verdict(self) -> Verdict:
        """Same: nothing differs. Compatible: nothing that the flow refers to differs in more than the third number."""
        if not self.differences:
            return "same"
        return "different" if any(each.breaks for each in self.differences) else "compatible"

    def text(self) -> str:
        """A block of lines: what the flow refers to, one by one, and the number of the others."""
        used = [str(each) for each in self.differences if each.used]
        lines = used[:SHOWN]
        if rest := len(self.differences) - len(lines):
            lines.append(f"and {rest} other{'s' if rest > 1 else ''}")
        return "\n".join(f"  {line}" for line in lines)


def compare(locked: Environment, python: str, here: Mapping[str, str], used: Collection[str]) -> Comparison:
    """Compare by names and versions.

    Args:
        locked: what the flow was registered with.
        python: version of the Python that is going to run it; of the same minor, or its content is refused.
        here: name → version of what is installed for that.
        used: distributions that the flow refers to.

    What is installed here and was not there is no difference: the code that was locked does not know of it.
    """
    found = [] if python == locked.python else [Difference("Python", locked.python, python, used=True)]
    found += [
        Difference(each.name, each.version, here.get(each.name), used=each.name in used)
        for each in locked.distributions
        if here.get(each.name) != each.version
    ]
    return Comparison(tuple(sorted(found, key=_weight)))


def _weight(each: Difference) -> tuple[bool, bool, bool, str]:
    return not each.used, not each.breaks, each.name != "Python", each.name


def _series(version: str) -> tuple[int, ...] | str:
    """Epoch, major and minor of a version; all of it where it is none that PEP 440 knows."""
    try:
        parsed = Version(version)
    except InvalidVersion:
        return version
    return parsed.epoch, *(*parsed.release, 0)[:2]
