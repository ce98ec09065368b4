"""Comparison of a run's environment with the one that a flow was registered with, without I/O."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from packaging.version import InvalidVersion, Version

from satflow_ext.models import Environment

Compatibility = Literal["same", "compatible", "different"]

MAX_LISTED = 20
"""Maximum number of differences to list; the others are counted."""


@dataclass(frozen=True)
class Difference:
    """One difference. `here` None: the package is not installed. `used`: the flow refers to it."""

    name: str
    registered: str
    installed: str | None
    used: bool

    @property
    def is_breaking(self) -> bool:
        """Return whether it may affect the flow's code: a used package is missing, or its major or minor version differs."""
        return self.used and (
            self.installed is None or _minor_version(self.installed) != _minor_version(self.registered)
        )

    def __str__(self) -> str:
        return f"{self.name} {self.registered} at registration, {self.installed or 'not installed'} here"


@dataclass(frozen=True)
class Comparison:
    """All differences, with the packages that the flow refers to first."""

    differences: tuple[Difference, ...]

    @property
    def compatibility(self) -> Compatibility:
        """Same: nothing differs. Compatible: packages that the flow refers to differ at most in the patch version."""
        if not self.differences:
            return "same"
        return "different" if any(each.is_breaking for each in self.differences) else "compatible"

    def to_text(self) -> str:
        """Format the differences on lines: the packages that the flow refers to, and the number of other packages."""
        used = [str(each) for each in self.differences if each.used]
        lines = used[:MAX_LISTED]
        if rest := len(self.differences) - len(lines):
            lines.append(f"and {rest} other{'s' if rest > 1 else ''}")
        return "\n".join(f"  {line}" for line in lines)


def compare_environments(
    locked: Environment, python: str, installed: Mapping[str, str], used: Collection[str]
) -> Comparison:
    """Compare environments by names and versions of packages.

    Args:
        locked: the environment that the flow was registered with.
        python: version of the Python that will run the flow. With another minor version, the content is refused.
        installed: name → version of the packages installed for that Python.
        used: distributions that the flow refers to.

    A package that is installed only here is not a difference: the registered code does not use it.
    """
    found = [] if python == locked.python else [Difference("Python", locked.python, python, used=True)]
    found += [
        Difference(each.name, each.version, installed.get(each.name), used=each.name in used)
        for each in locked.distributions
        if installed.get(each.name) != each.version
    ]
    return Comparison(tuple(sorted(found, key=_sort_key)))


def _sort_key(each: Difference) -> tuple[bool, bool, bool, str]:
    return not each.used, not each.is_breaking, each.name != "Python", each.name


def _minor_version(version: str) -> tuple[int, ...] | str:
    """Return epoch, major and minor of a version; the whole text if it is not valid by PEP 440."""
    try:
        parsed = Version(version)
    except InvalidVersion:
        return version
    return parsed.epoch, *(*parsed.release, 0)[:2]
