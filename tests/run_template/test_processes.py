"""Processes of a flow run that are forks of a template behave like new interpreters (`spawn`)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import psutil
import pytest

from satflow_ext.fork_requests.child_process import DASK_SOCKET, RUN_SOCKET
from satflow_ext.run_template.__main__ import PRELOADED, PRELOADED_FOR_DASK, preload
from tests.eventually import eventually
from tests.run_template.templates import DASK_VARIABLES

DIFFERENT = {"parents", "process", "seed", "random", "numpy_random"}
"""What differs between any two processes, or is compared by itself."""


def template_pid(template, socket: str) -> int:
    return (template.for_dask if socket == DASK_SOCKET else template.process).pid


def ran(template, flow: str, **variables: str) -> dict:
    code, said, answer = template.run(flow, **variables)
    assert (code, bool(answer)) == (0, True), said
    return answer


@pytest.mark.parametrize(("socket", "variables"), [(RUN_SOCKET, {}), (DASK_SOCKET, DASK_VARIABLES)])
def test_a_fork_is_like_a_new_interpreter(dask_template, socket, variables):
    answer = ran(dask_template, "spawns_and_forks", TEMPLATE=socket, VARIABLES=json.dumps(variables))
    own, forked = answer["own"], answer["forked"]
    pid = template_pid(dask_template, socket)
    assert {tuple(each["parents"]) for each in own} == {(answer["pid"], answer["pid"])}
    assert {tuple(each["parents"]) for each in forked} == {(pid, answer["pid"])}, "the processes are no forks"
    assert [each["process"][1:] for each in forked] == [each["process"][1:] for each in own]
    assert forked[0]["umask"] == 0o067
    assert forked[0]["environment"]["LATE"] == "set by the run"
    if variables:
        assert forked[0]["seed"] == own[0]["seed"]
    for generator in ("random", "numpy_random"):
        assert len({each[generator] for each in own + forked}) == 4, generator
    for each in own + forked:
        for name in DIFFERENT:
            del each[name]
    assert forked == own


@pytest.mark.parametrize(
    ("socket", "variables"),
    [
        ("missing", {}),
        (RUN_SOCKET, {"TZ": "Asia/Tokyo"}),
        (RUN_SOCKET, {"OPEN_FILES": "500"}),
        (DASK_SOCKET, DASK_VARIABLES | {"OMP_NUM_THREADS": "2"}),
        (DASK_SOCKET, DASK_VARIABLES | {"DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "debug"}),
    ],
    ids=["no template", "time zone", "limit", "thread variable", "Dask setting"],
)
def test_what_a_fork_cannot_take_over_gets_a_new_interpreter(dask_template, socket, variables):
    answer = ran(dask_template, "forks_spawned", TEMPLATE=socket, VARIABLES=json.dumps(variables))
    assert {tuple(each["parents"]) for each in answer["forked"]} == {(answer["pid"], answer["pid"])}
    assert answer["forked"][0]["environment"].items() >= variables.items()


def test_ends_of_processes(template):
    answer = ran(template, "ends_of_processes", TEMPLATE=RUN_SOCKET)
    assert answer["codes"] == [3, 1, 0, -signal.SIGTERM, -signal.SIGKILL]
    assert not any(answer["alive"])
    assert answer["size"] == 1_000_000
    eventually(lambda: not template.forks(), "the forks to be gone")


def test_dask_workers_are_forks_also_after_their_nanny_has_restarted_them(dask_template):
    answer = ran(dask_template, "uses_dask")
    assert answer["error"] == "KilledWorker"
    assert answer["address"].startswith("tls://127.0.0.1:")
    for each in answer["before"] + answer["after"]:
        assert each["parents"][0] == dask_template.for_dask.pid, "the workers are no forks"
        assert each["environment"].items() >= DASK_VARIABLES.items()
    assert len({each["seed"] for each in answer["before"] + answer["after"]}) == 1
    eventually(lambda: not dask_template.for_dask.children(), "the workers to be gone")


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_the_users_own_method_is_used(dask_template, method):
    answer = ran(dask_template, "starts_dask", DASK_DISTRIBUTED__WORKER__MULTIPROCESSING_METHOD=method)
    (worker,) = answer["workers"]
    assert worker["parents"][0] != dask_template.for_dask.pid
    assert (worker["parents"][0] == answer["pid"]) == (method == "spawn")


@pytest.mark.parametrize("killed", ["run", "requesting process"])
def test_nothing_stays_of_a_killed_run(dask_template, killed):
    process, answer = dask_template.start("waits_with_processes")
    eventually(lambda: answer.exists() or process.poll() is not None, "the run to begin", seconds=300)
    told = json.loads(answer.read_text())
    assert {psutil.Process(each).ppid() for each in told["processes"]} >= {
        dask_template.process.pid,
        dask_template.for_dask.pid,
    }
    if killed == "run":
        os.kill(told["pid"], signal.SIGKILL)
    else:
        process.kill()
    process.communicate()
    eventually(lambda: not any(map(psutil.pid_exists, [told["pid"], *told["processes"]])), "the processes to be gone")


def test_the_template_for_dask_has_one_thread(dask_template):
    assert dask_template.for_dask.num_threads() == 1


@pytest.mark.slow
def test_everything_is_there_to_be_preloaded():
    """A module that cannot be imported would only make processes slow."""
    code = "import importlib, sys; [importlib.import_module(each) for each in sys.argv[1:]]"
    subprocess.run([sys.executable, "-c", code, *PRELOADED, *PRELOADED_FOR_DASK], check=True)


def test_a_module_that_fails_is_reported(tmp_path, monkeypatch, capsys):
    (tmp_path / "fails_when_imported.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(str(tmp_path))
    preload("fails_when_imported")
    assert "cannot import fails_when_imported: ZeroDivisionError" in capsys.readouterr().err
