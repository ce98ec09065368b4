"""The environments of `scripts/test --floor` and `scripts/test --newest`; other runs of the tests leave this folder out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.installed.environments import VERSIONS, InstalledEnvironment, create_environment, install_wheel

collect_ignore_glob = [] if VERSIONS else ["test_*"]


@pytest.fixture(scope="session")
def base(house: Path, wheel: Path) -> Iterator[InstalledEnvironment]:
    """An environment as `pip install satflow-ext` makes it, and its local stack, which ends after the tests."""
    oldest = VERSIONS == "floor"
    made = InstalledEnvironment(create_environment(house / "base", oldest=oldest), house / "home")
    install_wheel(made.folder, wheel, oldest=oldest)
    yield made
    if (made.folder / "bin" / "satflow").exists():  # the last test uninstalls it
        made.run("satflow", "down")


@pytest.fixture(scope="session")
def lab(base: InstalledEnvironment, wheel: Path) -> InstalledEnvironment:
    """The same environment and state folder after `pip install 'satflow-ext[lab]'`."""
    base.run("satflow", "down")
    install_wheel(base.folder, wheel, oldest=VERSIONS == "floor", extras=("lab",))
    return base
