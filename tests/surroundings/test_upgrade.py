"""The present version with the state folder of an earlier one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.notebook_files import SUM_FLOW, write_notebook

pytestmark = pytest.mark.stack

ROOT = Path(__file__).parents[2]
EARLIER = "43df496"
"""A commit of November 21, 2026: before run logs in files, write markers and the worker type `satflow`."""


@dataclass(frozen=True)
class User:
    """A user with a state folder.

    Args:
        home: the folder with everything of the user.
    """

    home: Path

    def run(self, tree: Path, *words: str, code: int = 0) -> str:
        """Run `satflow` of that tree, which must exit with that code, and return its output."""
        folders = {"STATE_DIR": "state", "RUNTIME_DIR": "run", "CACHE_DIR": "cache"}
        own = {f"SATFLOW_{name}": str(self.home / folder) for name, folder in folders.items()}
        command = [sys.executable, "-m", "satflow_ext.cli", *words]
        environment = {**os.environ, **own, "HOME": str(self.home), "PYTHONPATH": str(tree)}
        done = subprocess.run(command, cwd=self.home, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.fixture
def user(house: Path) -> Iterator[User]:
    home = house / "upgrade"
    write_notebook(home / "sums.ipynb", SUM_FLOW)
    user = User(home)
    yield user
    user.run(ROOT, "down")


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The earlier version of the package, with the packages of today."""
    folder = tmp_path_factory.mktemp("earlier")
    packed = subprocess.run(["git", "archive", EARLIER, "satflow_ext"], cwd=ROOT, capture_output=True, check=False)
    if packed.returncode != 0:
        pytest.skip(
            f"not tested, because this checkout has no history (git fetch --unshallow): {packed.stderr.decode()}"
        )
    subprocess.run(["tar", "-x", "-C", folder], input=packed.stdout, check=True)
    return folder


def test_deployments_runs_and_logs_of_an_earlier_version_stay(user: User, earlier: Path) -> None:
    """Its journals cannot be read: the message tells what to do, and nothing is lost."""
    user.run(earlier, "up")
    user.run(earlier, "register", "sums.ipynb")
    (run_id,) = re.findall(r"^run .*\((.*)\)$", user.run(earlier, "run", "main", "--follow"), re.MULTILINE)
    user.run(earlier, "down")
    user.run(ROOT, "up")
    assert "sum 12" in user.run(ROOT, "logs", run_id)
    assert "the first version" in user.run(ROOT, "versions", "main")
    assert "sum 12" in user.run(ROOT, "run", "main", "--follow")
    refused = user.run(ROOT, "register", "sums.ipynb", code=1)
    (journal,) = re.findall(r"The journal (\S+) cannot be read: .* Move the file away", refused)
    Path(journal).rename(user.home / "journal.json")
    assert "version 2" in user.run(ROOT, "register", "sums.ipynb", "--executor", "threads")
    assert "sum 12" in user.run(ROOT, "run", "main", "--follow")
