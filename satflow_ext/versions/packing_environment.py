"""The environment that packed a pickle: the interpreter, and the packages whose versions decide whether another can read it.

Code objects from another Python do not raise an exception but crash the process (3.11 and 3.12: SIGSEGV), so the Python versions
are compared before a pickle is loaded. Another version of a package can at worst raise, so a close version is tried, with a
warning (docs/decisions/0006).
"""

from __future__ import annotations

import importlib.util
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

from pydantic import BaseModel, ConfigDict

from satflow_ext.errors import PackageMismatch, PythonMismatch
from satflow_ext.models import Environment

PICKLED_PACKAGES = ("cloudpickle", "prefect", "distributed")
"""Packages whose objects are part of a pickled flow."""
SEMANTIC_PACKAGES = frozenset({"cloudpickle", "prefect"})
"""Packages whose first version number marks incompatible changes; the first number of distributed is the year."""


class PackingEnvironment(BaseModel):
    """An interpreter and its packages. `magic` is `importlib.util.MAGIC_NUMBER` in hex: the version of its code objects."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    implementation: str
    python: str
    magic: str
    packages: dict[str, str]


def from_environment(environment: Environment) -> PackingEnvironment:
    """Return the interpreter and packages of a recorded environment."""
    return PackingEnvironment(
        implementation=environment.implementation,
        python=environment.python,
        magic=environment.magic,
        packages=_relevant_packages(environment.packages),
    )


def current_environment() -> PackingEnvironment:
    """Return this interpreter and its packages."""
    found = {}
    for package in PICKLED_PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return PackingEnvironment(
        implementation=platform.python_implementation(),
        python=platform.python_version(),
        magic=importlib.util.MAGIC_NUMBER.hex(),
        packages=found,
    )


def check_compatibility(packed_by: PackingEnvironment, reader: PackingEnvironment) -> tuple[str, ...]:
    """Compare the environment that packed a pickle with the one that will read it.

    Returns:
        Messages for the user about versions that differ but are probably compatible.

    Raises:
        PythonMismatch: reading the pickle would crash.
        PackageMismatch: a package has changed so much that the pickle cannot be read.
    """
    if (reader.implementation, reader.magic) != (packed_by.implementation, packed_by.magic):
        raise PythonMismatch(
            f"The flow was packed by {packed_by.implementation} {packed_by.python}; "
            f"this flow run has {reader.implementation} {reader.python}.",
            fix="Run the Prefect worker with the same Python, or register again from a kernel with the worker's Python.",
        )
    both = sorted(packed_by.packages.keys() & reader.packages.keys())
    differences = [_version_difference(name, packed_by.packages[name], reader.packages[name]) for name in both]
    return tuple(text for text in differences if text)


def _version_difference(name: str, made: str, reader: str) -> str | None:
    text = f"The flow was packed with {name} {made}; this flow run has {name} {reader}."
    if name in SEMANTIC_PACKAGES and _leading_numbers(made, 1) != _leading_numbers(reader, 1):
        raise PackageMismatch(
            text, fix=f"Install {name} {made} for the Prefect worker, or register again from a kernel with its version."
        )
    return None if _leading_numbers(made, 2) == _leading_numbers(reader, 2) else text


def _leading_numbers(version: str, count: int) -> list[str]:
    return version.split(".")[:count]


def _relevant_packages(packages: Mapping[str, str]) -> dict[str, str]:
    return {name: packages[name] for name in PICKLED_PACKAGES if name in packages}
