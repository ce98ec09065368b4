"""Hooks of runs that crashed or were canceled: called with the flow of the version, in a process of their own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys

import psutil
import pytest
from prefect import flow

from satflow_ext.runs import cancel_run
from satflow_ext.runtime.hooks import find_interpreter
from satflow_ext.versions import manifest_store
from tests.eventually import eventually
from tests.flow_runs import ended, log_of, start_run


def note(flow, flow_run, state):
    """Write what a hook sees into the folder of the run's parameters."""
    import json
    import os
    import pathlib
    import sys

    seen = {
        "flow": flow.name,
        "run": str(flow_run.id),
        "state": state.type.value,
        "pid": os.getpid(),
        "python": sys.executable,
        "region": os.environ.get("REGION"),
        "secret": os.environ.get("HOOK_TOKEN"),
    }
    pathlib.Path(flow_run.parameters["folder"], "hook.json").write_text(json.dumps(seen))


def breaks(flow, flow_run, state):
    raise ValueError("the hook is broken")


async def note_async(flow, flow_run, state):
    import pathlib

    pathlib.Path(flow_run.parameters["folder"], "async").touch()


HOOKS = [breaks, note, note_async]


@flow(name="hooked", on_crashed=HOOKS, on_cancellation=HOOKS)
def hooked(folder: str):
    import os
    import pathlib
    import time

    pathlib.Path(folder, "pid").write_text(str(os.getpid()))
    while True:
        time.sleep(0.1)


@pytest.fixture
def begun(stack, registered, tmp_path, monkeypatch):
    """A run that executes: its id and the number of its process."""
    (stack.settings.secrets_dir).mkdir(parents=True, exist_ok=True)
    (stack.settings.secrets_dir / "HOOK_TOKEN").write_text("a long secret value")
    done = registered(hooked, secrets=("HOOK_TOKEN",), infrastructure={"env": {"REGION": "north"}})
    run = start_run(stack, done.deployment.id, folder=str(tmp_path))
    file = tmp_path / "pid"
    eventually(lambda: file.exists() and file.read_text() != "", "the run executes")
    return run, int(file.read_text())


def expect_hooks(stack, folder, run, state):
    eventually((folder / "async").exists, "all hooks were called")
    seen = json.loads((folder / "hook.json").read_text())
    pid = seen.pop("pid")
    assert seen == {
        "flow": "hooked",
        "run": run,
        "state": state,
        "python": sys.executable,
        "region": "north",
        "secret": "a long secret value",
    }
    eventually(lambda: not psutil.pid_exists(pid), "the process that only calls hooks ended")
    log = log_of(stack, run)
    assert "Hook 'breaks' failed" in log
    assert "the hook is broken" in log
    assert "Hook 'note_async' finished running successfully" in log
    assert "a long secret value" not in log


def test_hooks_of_a_killed_run(stack, begun, tmp_path):
    run, pid = begun
    os.kill(pid, signal.SIGKILL)
    assert ended(stack, run).run.state_type == "CRASHED"
    expect_hooks(stack, tmp_path, run, "CRASHED")


def test_hooks_of_a_canceled_run(stack, begun, tmp_path):
    run, _pid = begun
    asyncio.run(cancel_run(stack.endpoints.prefect, run))
    assert ended(stack, run).run.state_type == "CANCELLED"
    expect_hooks(stack, tmp_path, run, "CANCELLING")


def test_a_manifest_names_only_hooks_that_a_flow_has(stack, registered):
    @flow(name="hooked-once", on_completion=[note], on_crashed=[note])
    def once():
        return 1

    made = registered(once)
    manifest = asyncio.run(manifest_store.read_manifest(stack.endpoints.store, made.manifest))
    assert manifest.hooks == ("on_crashed",)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (None, None),
        ("", None),
        ("python", None),
        ("/opt/py/bin/python -m prefect.engine", "/opt/py/bin/python"),
        ("'/opt/my py/python' -m prefect.engine", "/opt/my py/python"),
        ("/opt/python -m satflow_ext.environments.engine_start /nowhere/env", "/opt/python"),
    ],
)
def test_the_interpreter_of_the_run_calls_its_hooks(command, expected):
    assert find_interpreter(command) == (expected or sys.executable, {})


def test_a_recreated_environment_calls_the_hooks_of_its_runs(tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    interpreter, variables = find_interpreter(f"/opt/python -m satflow_ext.environments.engine_start {tmp_path}")
    assert (interpreter, variables["VIRTUAL_ENV"]) == (str(tmp_path / "bin" / "python"), str(tmp_path))
