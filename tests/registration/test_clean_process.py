"""What is said of a clean process that took too long, was killed, or lacks a module: three different things."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from prefect import flow

from satflow_ext.cluster_providers import provider
from satflow_ext.errors import CannotPickle, ClusterFailed, SettingsWrong, UnknownBackEnd
from satflow_ext.registration.clean_process import FinishedProcess, ProcessStopped, load_in_clean_process, run_code
from satflow_ext.registration.cluster_class import read_class_form
from satflow_ext.registration.worker_environment import inspect_interpreter

pytestmark = pytest.mark.slow

SHORT = 5.0
LONG = 60.0
SLEEPS = "import time\ndef waits():\n    time.sleep(600)\nwaits()"
KILLS = "import os, signal; os.kill(os.getpid(), signal.{name})"


class OnLoad:
    """Runs code where it is unpickled."""

    def __init__(self, code: str) -> None:
        self.code = code

    def __reduce__(self):
        return exec, (self.code, {})


@pytest.fixture
def loads(tmp_path):
    """A packed flow whose load runs code."""
    import cloudpickle

    from satflow_ext.kernel.pack import pack_flow
    from satflow_ext.settings import GIB

    def make(code: str):
        made = pack_flow(flow(lambda: 1, name="plain"), tmp_path, namespace={}, parameter_values={}, limit=GIB)
        Path(made.body).write_bytes(cloudpickle.dumps(OnLoad(code)))
        return made

    return make


@pytest.mark.parametrize(
    ("code", "limit", "message", "fix"),
    [
        (
            SLEEPS,
            SHORT,
            "did not finish: it had not finished after 5 s, in waits (<string>, line 3)",
            "what it waits for",
        ),
        (KILLS.format(name="SIGKILL"), LONG, "did not finish: it was killed (SIGKILL)", "more memory"),
        (KILLS.format(name="SIGSEGV"), LONG, "did not finish: it crashed (SIGSEGV)", "compiled package"),
        ("import no_such_module", LONG, "ModuleNotFoundError: No module named 'no_such_module'", "Install the module"),
        ("open('/no/such')", LONG, "FileNotFoundError", "a file"),
    ],
)
def test_each_end_of_a_load_is_told_apart(loads, code, limit, message, fix):
    with pytest.raises(CannotPickle) as refused:
        asyncio.run(load_in_clean_process(loads(code), sys.executable, limit=limit))
    assert message in refused.value.message
    assert fix in refused.value.fix
    assert ("module" in refused.value.message.lower()) == ("no_such" in code)


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Writes a module that a clean process can import."""
    site = tmp_path / "site"
    site.mkdir()

    def write(code: str) -> Path:
        (site / "cluster_module.py").write_text(code)
        python = tmp_path / "python"
        python.write_text(f'#!/bin/sh\nPYTHONPATH="{site}:{Path.cwd()}" exec "{sys.executable}" "$@"\n')
        python.chmod(0o700)
        return python

    return write


@pytest.mark.parametrize(
    ("code", "limit", "error", "message"),
    [
        (
            "import time; time.sleep(600)",
            5.0,
            ClusterFailed,
            "did not finish: it had not finished after 5 s, in <module> (",
        ),
        (KILLS.format(name="SIGKILL"), LONG, ClusterFailed, "did not finish: it was killed (SIGKILL)"),
        ("import no_such_module", LONG, UnknownBackEnd, "No module named 'no_such_module'"),
    ],
)
def test_each_end_of_importing_a_cluster_class_is_told_apart(module, code, limit, error, message):
    with pytest.raises(error) as refused:
        asyncio.run(read_class_form("cluster_module:Cluster", module(code), limit=limit))
    assert message in refused.value.message
    assert refused.value.field == provider.BACKEND_FIELD


def test_an_interpreter_that_does_not_answer_is_not_waited_for(tmp_path):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexec sleep 600\n")
    python.chmod(0o700)
    with pytest.raises(SettingsWrong, match=r"python did not list its packages: it had not finished after 0\.1 s\."):
        asyncio.run(inspect_interpreter(python, limit=0.1))


def test_a_process_that_the_watchdog_cannot_end_is_killed():
    code = (
        "import faulthandler, os, time; faulthandler.cancel_dump_traceback_later(); print(os.getpid()); time.sleep(600)"
    )
    with pytest.raises(ProcessStopped, match=r"after 0\.1 s"):
        asyncio.run(run_code(sys.executable, code, folder="/", limit=0.1))


def test_output_and_code_of_a_process_that_ends_by_itself():
    code = "import sys; print('é'); sys.stderr.write('spät'); sys.exit(3)"
    done = asyncio.run(run_code(sys.executable, code, folder="/", limit=LONG))
    assert done == FinishedProcess(3, "é\n".encode(), "spät".encode())
