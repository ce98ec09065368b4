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
    assert "cannot be created: No such file or directory. Set SATFLOW_STATE_DIR, SATFLOW_RUNTIME_DIR" in done.stderr


def test_little_else_than_a_home(home: str) -> None:
    """As cron starts it."""
    done = satflow("down", HOME=home, PATH="/usr/bin:/bin")
    assert (done.stdout, done.stderr) == ("The local stack is not running.\n", "")


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/api", "127.0.0.1:9"])
def test_api_that_does_not_answer(url: str, home: str) -> None:
    done = satflow("status", HOME=home, PREFECT_API_URL=url)
    assert f"No Prefect API answers at {url}" in done.stdout
    assert done.stderr == ""


PROFILES = """
active = "ephemeral"

[profiles.ephemeral]
PREFECT_SERVER_ALLOW_EPHEMERAL_MODE = "true"

[profiles.team]
PREFECT_API_URL = "http://127.0.0.1:9/api"
PREFECT_API_KEY = "pnu_secret"
"""


@pytest.fixture
def profiles(home: str) -> Path:
    file = Path(home) / ".prefect" / "profiles.toml"
    file.parent.mkdir()
    file.write_text(PROFILES)
    return file


@pytest.mark.parametrize("way", ["active", "named"])
def test_the_api_of_prefects_profile_is_used_as_prefect_api_url(way: str, home: str, profiles: Path) -> None:
    if way == "active":
        profiles.write_text(PROFILES.replace('active = "ephemeral"', 'active = "team"'))
    done = satflow("status", HOME=home, **({"PREFECT_PROFILE": "team"} if way == "named" else {}))
    assert "Configured Prefect API: failed (No Prefect API answers at http://127.0.0.1:9/api" in done.stdout
    assert "Prefect API  http://127.0.0.1:9/api (profile 'team' of Prefect)" in done.stdout


@pytest.mark.usefixtures("profiles")
@pytest.mark.parametrize("variables", [{}, {"PREFECT_PROFILE": "team", "SATFLOW_PREFECT_API_URL": "local"}])
def test_the_local_stack_is_used_with_a_profile_without_api_and_on_request(
    variables: dict[str, str], home: str
) -> None:
    assert satflow("status", HOME=home, **variables).stdout.startswith("Local stack: stopped\n")


@pytest.mark.usefixtures("profiles")
def test_a_dead_api_of_a_profile_is_reported_with_the_profile(home: str) -> None:
    store = {"SATFLOW_STORE": "team", "SATFLOW_STORES__TEAM__URL": "http://127.0.0.1:9/{digest}"}
    done = satflow("versions", "some", HOME=home, PREFECT_PROFILE="team", **store)
    assert done.stderr.startswith("satflow: Nothing answers at the Prefect API's address http://127.0.0.1:9/api. Check")
    assert "correct Prefect's profile 'team', or set SATFLOW_PREFECT_API_URL=local" in done.stderr


def test_a_damaged_file_of_profiles_is_named(home: str, profiles: Path) -> None:
    profiles.write_text("active = ")
    done = satflow("status", HOME=home)
    assert done.returncode == 1
    assert f"{profiles} cannot be read" in done.stderr


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
