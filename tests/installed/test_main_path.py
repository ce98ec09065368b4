"""The main path with the oldest or the newest packages: the command line without Jupyter, and JupyterLab in Chromium."""

from __future__ import annotations

import re
import subprocess
import sys

import psutil
import pytest

from satflow_ext.endpoints import read_record
from satflow_ext.settings import load_settings
from tests.eventually import eventually
from tests.installed.environments import ROOT, VERSIONS, InstalledEnvironment, run_uv
from tests.notebook_files import SUM_FLOW, write_notebook

COLOR = re.compile(r"\x1b\[[0-9;]*m")
pytestmark = pytest.mark.stack


def test_the_base_has_no_jupyter_server(base: InstalledEnvironment) -> None:
    code = "import importlib.util as i; print([n for n in ('jupyterlab', 'jupyter_server', 'bokeh') if i.find_spec(n)])"
    assert base.run("python", "-c", code) == "[]\n"


def test_the_doctor_only_warns_of_old_versions(base: InstalledEnvironment) -> None:
    report = base.run("satflow", "doctor", "--offline")
    assert "wrong" not in report
    assert ("CVE-2026-82397" in report) == (VERSIONS == "floor")


@pytest.mark.parametrize("executor", [("threads",), ("dask-local", "--n-workers", 1)])
def test_a_notebook_is_registered_and_runs(base: InstalledEnvironment, executor: tuple[object, ...]) -> None:
    notebook = write_notebook(base.home / "sums.ipynb", SUM_FLOW)
    base.run("satflow", "register", notebook, "--executor", *executor)
    log = base.run("satflow", "run", "main", "--follow")
    assert "sum 12" in log
    assert "Completed after" in log


def test_jupyter_accepts_both_extensions(lab: InstalledEnvironment) -> None:
    assert re.search(r"satflow-ext v\S+ enabled +OK", COLOR.sub("", lab.run("jupyter", "labextension", "list")))
    assert re.search(r"satflow_ext \S* ?OK\n", COLOR.sub("", lab.run("jupyter", "server", "extension", "list")))


def test_the_sidebar_registers_a_flow_and_follows_its_run(lab: InstalledEnvironment) -> None:
    """JupyterLab of that environment in Chromium: REST, websocket, kernel, and a run on Dask."""
    variables = {**lab.variables(), "SATFLOW_TEST_PYTHON": str(lab.python)}
    story = [sys.executable, ROOT / "ui-tests" / "installed.py"]
    done = subprocess.run(story, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_stack_ends_after_the_package_is_uninstalled(lab: InstalledEnvironment) -> None:
    """The last test: nothing remains that could stop the stack, and the user's data stays."""
    lab.run("satflow", "up")
    settings = load_settings()
    record = read_record(settings)
    assert record is not None
    run_uv("pip", "uninstall", "--python", lab.python, "satflow-ext")
    eventually(lambda: not psutil.pid_exists(record.pid), "the end of the supervisor", 300)
    assert (settings.state_dir / "prefect" / "prefect.db").exists()
