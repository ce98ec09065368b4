"""What `pip install satflow-ext` adds to an environment that has Prefect and ipykernel.

It is computed from pyproject.toml and the metadata and files of the packages that are installed here, without an index.
"""

from __future__ import annotations

from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
import tomllib
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
MAX_PACKAGES = 20
MAX_MEGABYTES = 20.0
PRESENT = ("prefect", "ipykernel")


def installed_closure(*requirements: str) -> dict[str, Distribution]:
    """The packages that these requirements lead to, in the versions that are installed here."""
    found: dict[str, Distribution] = {}
    done: set[tuple[str, str]] = set()
    waiting = [Requirement(each) for each in requirements]
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        for extra in {"", *requirement.extras}:
            if (name, extra) not in done:
                done.add((name, extra))
                found[name] = distribution(name)
                waiting += _requirements_of(found[name], extra)
    return found


def _requirements_of(package: Distribution, extra: str) -> list[Requirement]:
    needed = [Requirement(each) for each in package.requires or ()]
    return [each for each in needed if each.marker is None or each.marker.evaluate({"extra": extra})]


def megabytes(package: Distribution) -> float:
    files = [Path(str(package.locate_file(each))) for each in package.files or () if each.suffix != ".pyc"]
    return sum(each.stat().st_size for each in files if each.exists()) / 1e6


@pytest.fixture(scope="module")
def added() -> dict[str, Distribution]:
    present = installed_closure(*PRESENT)
    applicable = [
        each for each in map(Requirement, PROJECT["dependencies"]) if not each.marker or each.marker.evaluate()
    ]
    wanted = installed_closure(*map(str, applicable))
    return {name: package for name, package in wanted.items() if name not in present}


def test_the_base_adds_few_packages(added):
    sizes = {name: round(megabytes(package), 1) for name, package in sorted(added.items())}
    assert len(sizes) <= MAX_PACKAGES, sizes
    assert sum(sizes.values()) <= MAX_MEGABYTES, sizes


def test_the_base_has_no_web_server_of_jupyter(added):
    assert not {"jupyter-server", "jupyterlab", "dask-labextension", "bokeh", "notebook"} & set(added)


def test_all_extras_for_users_are_in_all():
    extras = PROJECT["optional-dependencies"]
    (everything,) = extras["all"]
    assert Requirement(everything).extras == set(extras) - {"all", "dev", "examples", "test"}
