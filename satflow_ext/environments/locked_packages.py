"""The packages of a lock: as exact requirements for installers, and compared with the installed ones."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from packaging.version import InvalidVersion, Version

from satflow_ext.errors import CannotRecreate
from satflow_ext.models import Distribution, Environment

SATFLOW = "satflow-ext"
"""SatFlow's distribution. If it was installed from a folder, a recreated environment uses the Prefect worker's copy."""
Compatibility = Literal["same", "compatible", "different"]
MAX_LISTED = 20
"""Maximum number of differences to list; the others are counted."""


def requirement_lines(lock: Environment) -> list[str]:
    """Return one requirement for each distribution that an installer can get, sorted by name."""
    return [line for each in lock.distributions if (line := exact_requirement(each)) is not None]


def exact_requirement(distribution: Distribution) -> str | None:
    """Return the exact requirement of a distribution; None if it comes from a folder or file of one machine."""
    name, origin = distribution.name, distribution.origin
    if origin is None:
        return f"{name}=={distribution.version}"
    if origin.vcs and origin.commit:
        below = f"#subdirectory={origin.subdirectory}" if origin.subdirectory else ""
        return f"{name} @ {origin.vcs}+{origin.url}@{origin.commit}{below}"
    if urlsplit(origin.url).scheme in ("http", "https"):
        # With a hash on one line, pip requires one on every line; a hash in the URL is checked as well.
        return f"{name} @ {origin.url}" + (f"#sha256={origin.sha256}" if origin.sha256 else "")
    return None


def find_unobtainable(lock: Environment) -> tuple[Distribution, ...]:
    """Return distributions other than SatFlow that no installer can get: from a folder or file of one machine."""
    return tuple(each for each in lock.distributions if exact_requirement(each) is None and each.name != SATFLOW)


def refuse_unobtainable(lock: Environment) -> None:
    """Refuse to build an environment with distributions that no installer can get.

    Raises:
        CannotRecreate: a distribution in the lock comes from a folder or file of one machine; the message names it.
    """
    if lost := find_unobtainable(lock):
        names = ", ".join(
            f"{each.name} {each.version} ({'editable' if _is_editable(each) else 'local'})" for each in lost
        )
        raise CannotRecreate(
            f"The environment cannot be recreated, because these were not installed from an index: {names}.",
            fix="Install them from an index or a repository, uninstall them, or register with environment='refuse'.",
            field="environment",
        )


def requirements_text(lock: Environment) -> str:
    """Format a requirements file for `pip install --no-deps -r`. Distributions that no installer can get are comments."""
    head = [f"# {lock.implementation} {lock.python}, {len(lock.distributions)} distributions; install with --no-deps."]
    local = [each for each in lock.distributions if exact_requirement(each) is None]
    missing = [f"# {each.name} {each.version} came from {each.origin.url}" for each in local if each.origin]
    return "\n".join([*head, *missing, *requirement_lines(lock)]) + "\n"


def containerfile_text(lock: Environment) -> str:
    """Format a Containerfile of an image that runs flows of this lock; it copies requirements.txt from the same folder."""
    major_minor = ".".join(lock.python.split(".")[:2])
    return (
        "# Build it in a folder with the requirements.txt that `satflow environment DEPLOYMENT --requirements` writes.\n"
        "# Packages come from the index that the build is configured with.\n"
        f"FROM python:{lock.python if lock.python.replace('.', '').isdigit() else major_minor}-slim\n"
        "COPY requirements.txt /tmp/requirements.txt\n"
        "RUN pip install --no-cache-dir --no-deps -r /tmp/requirements.txt && rm /tmp/requirements.txt\n"
        "RUN useradd --create-home flow\n"
        "USER flow\n"
        "WORKDIR /home/flow\n"
    )


def lock_digest(lock: Environment) -> str:
    """Return the digest that identifies the environment: 64 hex digits, equal for locks with equal environments."""
    satflow_lines = [
        f"{SATFLOW} from here"
        for each in lock.distributions
        if each.name == SATFLOW and exact_requirement(each) is None
    ]
    return hashlib.sha256(
        "\n".join([lock.implementation, lock.python, *requirement_lines(lock), *satflow_lines]).encode()
    ).hexdigest()


def _is_editable(distribution: Distribution) -> bool:
    return distribution.origin is not None and distribution.origin.editable


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
