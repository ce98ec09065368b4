"""Commands without a home, with an output that cannot be written, with an API that does not answer. They start no services."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from satflow_ext import cli

pytestmark = pytest.mark.slow

ISOLATED = ("PATH", "PYTHONPATH", "LANG")


def satflow(*words: str, stdout: int | IO[str] = subprocess.PIPE, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command without the environment of the tests."""
    environment = {name: os.environ[name] for name in ISOLATED if name in os.environ} | variables
    command = [sys.executable, "-m", "satflow_ext.cli", *words]
    return subprocess.run(
        command, env=environment, stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=120, check=False
    )


@pytest.fixture
def home(tmp_path: Path) -> str:
    return str(tmp_path)


def test_no_home() -> None:
    done = satflow("up", HOME="/proc/no-home")
    assert done.returncode == 1
    assert done.stderr.startswith("satflow: /proc/no-home/")
    assert "cannot be created: No such file or directory. Set SATFLOW_RUNTIME_DIR." in done.stderr


def test_little_else_than_a_home(home: str) -> None:
    """As cron starts it."""
    done = satflow("down", HOME=home, PATH="/usr/bin:/bin")
    assert (done.stdout, done.stderr) == ("The local stack is not running.\n", "")


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/api", "127.0.0.1:9"])
def test_api_that_does_not_answer(url: str, home: str) -> None:
    done = satflow("status", HOME=home, PREFECT_API_URL=url)
    assert f"No Prefect API answers at {url}" in done.stdout
    assert done.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
def test_full_disk(home: str) -> None:
    with open("/dev/full", "w") as full:
        done = satflow("status", HOME=home, stdout=full)
    assert (done.returncode, done.stderr) == (
        1,
        "satflow: The output cannot be written: No space left on device.\n",
    )


def test_reader_that_ended(home: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = satflow("status", HOME=home, stdout=writing)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


def test_closed_output(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    assert cli.main(["sizes"]) == 0


INTERRUPTED = """
import os, signal, sys
class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupt())
from satflow_ext import cli
sys.argv[1:] = ["register", "none.ipynb"]
sys.exit(cli.main())
"""


@pytest.mark.parametrize("module", ["satflow_ext.commands.register", "satflow_ext.models", "satflow_ext.executors.ray"])
def test_an_interrupt_while_it_loads_ends_it_in_silence(module: str, home: str) -> None:
    environment = {name: os.environ[name] for name in ISOLATED if name in os.environ} | {"HOME": home}
    command = [sys.executable, "-c", INTERRUPTED.format(module=module)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")
