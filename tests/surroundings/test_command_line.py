"""A notebook is registered and runs in surroundings that people have, several at a time.

Each group of surroundings costs a local stack, so a group has as many of them as can occur together.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.eventually import eventually
from tests.notebook_files import write_notebook

pytestmark = pytest.mark.stack

FLOW = """
from prefect import flow, task

@task
def double(number):
    return 2 * number

@flow(log_prints=True)
def main(count: int = 4):
    print("sum", sum(double.map(range(count)).result()), "größe")
"""
DEAD = "http://127.0.0.1:9"
PROXIES = {
    **dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"), DEAD),
    **dict.fromkeys(("ALL_PROXY", "all_proxy"), "socks5://127.0.0.1:9"),
}
CRON = {"PATH": "/usr/bin:/bin", "LANG": "C", "LC_ALL": "C", "SHELL": "/bin/sh"}
"""What cron sets besides HOME: no XDG_RUNTIME_DIR, no virtual environment, no UTF-8."""

READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && '
"""A folder that root cannot write to either, in a mount namespace of the command."""


@dataclass(frozen=True)
class Surroundings:
    """What commands run in.

    Args:
        home: the home folder, with the notebook.
        variables: all environment variables besides HOME and PYTHONPATH.
        shell: shell commands before the command.
        prefix: words before the shell.
        python: the interpreter with its options.
    """

    home: Path
    variables: dict[str, str]
    shell: str
    prefix: tuple[str, ...] = ()
    python: tuple[str, ...] = (sys.executable,)

    def run(self, *words: str, code: int = 0) -> str:
        """Run `satflow` with these words, and return its output."""
        python_path = {"PYTHONPATH": path} if (path := os.environ.get("PYTHONPATH")) else {}
        environment = {**self.variables, **python_path, "HOME": str(self.home)}
        command = [*self.prefix, "bash", "-c", f'{self.shell}exec "$@"', str(self.home)]
        satflow = [*self.python, "-m", "satflow_ext.cli", *words]
        done = subprocess.run([*command, *satflow], cwd="/", env=environment, capture_output=True, check=False)
        output = (done.stdout + done.stderr).decode()
        assert done.returncode == code, output
        return output

    def list_processes(self) -> list[str]:
        """List the processes with this home folder."""
        return [" ".join(each.cmdline()) for each in psutil.process_iter() if self._has_home(each)]

    def _has_home(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get("HOME") == str(self.home)
        except psutil.Error:
            return False


def from_cron(house: Path) -> Surroundings:
    """A long home folder with spaces, the environment of cron, no usable proxy, files open to everybody, warnings as errors."""
    home = house / "cron"
    while len(str(home)) < 200:
        home /= "a long name with spaces"
    return Surroundings(home, {**CRON, **PROXIES}, "umask 000; ", python=(sys.executable, "-W", "error"))


def restricted(house: Path) -> Surroundings:
    """A home folder that cannot be written to, few descriptors, files for the user alone, and folders of SatFlow elsewhere."""
    folders = {name: str(house / "kept" / name[8]) for name in ("SATFLOW_STATE_DIR", "SATFLOW_RUNTIME_DIR")}
    variables = {**CRON, **folders, "SATFLOW_CACHE_DIR": str(house / "kept" / "C")}
    shell = f"{READ_ONLY} umask 077; ulimit -n 256; "
    return Surroundings(house / "read-only", variables, shell, ("unshare", "--mount"))


@pytest.fixture(params=[from_cron, restricted])
def surroundings(request: pytest.FixtureRequest, house: Path) -> Iterator[Surroundings]:
    found: Surroundings = request.param(house)
    write_notebook(found.home / "notebooks" / "sums.ipynb", FLOW)
    yield found
    found.run("down")


def test_a_notebook_is_registered_and_runs(surroundings: Surroundings) -> None:
    surroundings.run("up")
    notebook = str(surroundings.home / "notebooks" / "sums.ipynb")
    assert "created, version 1" in surroundings.run("register", notebook, "--executor", "dask-local")
    log = surroundings.run("run", "main", "--follow")
    assert "sum 12 größe" in log
    assert "Completed after" in log
    surroundings.run("down")
    eventually(lambda: not surroundings.list_processes(), "the end of its processes")
    assert list(find_open_files(surroundings)) == []


def find_open_files(surroundings: Surroundings) -> Iterator[str]:
    """Find files and folders of SatFlow that other users can read: one that they cannot enter hides what is in it."""
    state = surroundings.variables.get("SATFLOW_STATE_DIR") or surroundings.home / ".local" / "share" / "satflow"
    for folder in (Path(state), *Path(state).glob("*")):
        if folder.stat().st_mode & 0o077 and Path(state).stat().st_mode & 0o077:
            yield str(folder)


def test_a_home_that_cannot_be_written_to_is_reported(house: Path) -> None:
    here = restricted(house)
    here.home.mkdir(exist_ok=True)
    kept = {name: value for name, value in here.variables.items() if not name.startswith("SATFLOW_")}
    output = Surroundings(here.home, kept, here.shell, here.prefix).run("up", code=1)
    assert "cannot be created: Read-only file system. Set SATFLOW_STATE_DIR" in output
