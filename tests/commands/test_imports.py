"""Commands that speak to Prefect do so without importing it: its import takes longer than what they do."""

from __future__ import annotations

import subprocess
import sys
from uuid import uuid4

import pytest

from tests.notebook_files import write_notebook
from tests.satflow_command import satflow

CELLS = (
    "from prefect import flow, get_run_logger",
    "@flow\ndef hourly(n: int = 1):\n    get_run_logger().info('once')",
)

PROGRAM = """
import sys
from satflow_ext.cli import main

code = main(sys.argv[1:])
assert code == 0, code
loaded = {name.partition(".")[0] for name in sys.modules}
assert not loaded & {"prefect", "distributed", "dask"}, loaded
"""


@pytest.fixture(scope="module")
def notebook(stack, tmp_path_factory):
    """A notebook whose flow is registered with a schedule, as a deployment named like the notebook."""
    path = write_notebook(tmp_path_factory.mktemp("notebook") / f"hourly-{uuid4().hex[:8]}.ipynb", *CELLS)
    assert satflow("register", path, "--name", path.stem, "--cron", "0 * * * *").returncode == 0
    return path


@pytest.fixture(scope="module")
def run_id(notebook):
    """A run of the deployment."""
    started = satflow("run", notebook.stem)
    return started.stdout.rpartition("(")[2].partition(")")[0]


def run_without_prefect(*words: object) -> str:
    """Run a command in a new interpreter, and return its output."""
    command = [sys.executable, "-c", PROGRAM, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("words", ["run {} --follow", "run {} --param n=2", "versions {}", "diff {} 1 1"])
def test_commands_about_a_deployment(notebook, words):
    assert run_without_prefect(*words.format(notebook.stem).split())


def test_the_log_of_a_run(run_id):
    assert "once" in run_without_prefect("logs", run_id, "--follow")
    assert "once" in run_without_prefect("logs", run_id)


@pytest.mark.parametrize("words", ["status", "sizes", "keys list", "clusters list", "store collect --dry-run"])
def test_commands_about_everything(notebook, words):
    assert run_without_prefect(*words.split())


def test_registering_what_is_unchanged(stack, tmp_path):
    path, name = write_notebook(tmp_path / "plain.ipynb", *CELLS), f"plain-{uuid4().hex[:8]}"
    assert "created" in run_without_prefect("register", path, "--name", name)
    assert "unchanged" in run_without_prefect("register", path, "--name", name)
