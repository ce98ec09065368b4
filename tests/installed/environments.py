"""Environments with the wheel of this tree and the oldest or newest packages that pyproject.toml allows."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
VERSIONS = os.environ.get("SATFLOW_TEST_VERSIONS")
"""`floor` or `newest`; None in all other runs of the tests."""
MINORS = range(10, 15)
"""The minor versions of Python 3 that pyproject.toml lists."""

WITH_OLD_PREFECT = ("fastapi<0.151", "sqlalchemy<2.1")
"""What a user adds to an old Prefect (docs/install.md, "Versions that do not work together")."""


@dataclass(frozen=True)
class InstalledEnvironment:
    """A virtual environment, whose commands run without this tree and with private folders.

    Args:
        folder: the environment.
        home: the folder for settings, state and files of its commands.
    """

    folder: Path
    home: Path

    def run(self, command: str, *arguments: object) -> str:
        """Run a command of the environment, which must succeed, and return its output."""
        words = [str(self.folder / "bin" / command), *map(str, arguments)]
        done = subprocess.run(words, cwd=self.home, env=self.variables(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def variables(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
        return {**kept, "PATH": f"{self.folder / 'bin'}{os.pathsep}{kept['PATH']}"}

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"


def create_environment(folder: Path, *, oldest: bool) -> Path:
    """Create an empty environment of the oldest supported Python of this machine, or of the newest."""
    pythons = list(find_pythons())
    run_uv("venv", "--python", pythons[0] if oldest else pythons[-1], folder)
    return folder


def install_wheel(folder: Path, wheel: Path, *, oldest: bool, extras: tuple[str, ...] = ()) -> None:
    """Install the wheel and its direct requirements in their lowest or newest versions.

    Args:
        folder: the environment.
        wheel: the wheel of this tree.
        oldest: whether to take the lowest version of each direct requirement; the newest otherwise.
        extras: extras of pyproject.toml.
    """
    pins, constraints = folder / "requirements.txt", folder / "constraints.txt"
    constraints.write_text("\n".join(WITH_OLD_PREFECT) if oldest else "")
    resolution = ("--resolution", "lowest-direct" if oldest else "highest", "--constraint", constraints)
    named = [f"--extra={extra}" for extra in extras]
    into = ("--python", folder / "bin" / "python")
    run_uv("pip", "compile", *resolution, *named, *into, "--output-file", pins, ROOT / "pyproject.toml")
    run_uv("pip", "install", *into, "--requirement", pins)
    run_uv("pip", "install", *into, "--no-deps", wheel)


def find_pythons() -> Iterator[Path]:
    """Find one interpreter of each supported minor version on this machine, the oldest first."""
    home = Path(pwd.getpwuid(os.getuid()).pw_dir)  # HOME is a folder of the tests
    for minor in MINORS:
        own = [Path(sys.executable)] if sys.version_info.minor == minor else []
        known = shutil.which(f"python3.{minor}")
        found = [*own, *([Path(known)] if known else []), *home.glob(f".pyenv/versions/3.{minor}.*/bin/python")]
        yield from [each for each in found if _has_version(each, minor)][:1]


def _has_version(python: Path, minor: int) -> bool:
    code = f"import ensurepip, sys; sys.exit(sys.version_info[:2] != (3, {minor}))"
    return subprocess.run([python, "-c", code], capture_output=True, check=False).returncode == 0


def run_uv(*words: object) -> None:
    """Run a command of uv, which must succeed. What it installs is compiled once, and not by each process that imports it."""
    variables = {**os.environ, "UV_COMPILE_BYTECODE": "1"}
    done = subprocess.run(
        ["uv", *map(str, words)], cwd=ROOT, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
