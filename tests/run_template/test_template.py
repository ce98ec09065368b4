"""A flow run that is a fork of the template behaves like one with an interpreter of its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from satflow_ext.fork_requests import start_run
from satflow_ext.fork_requests.preloaded_packages import record_used_packages
from tests.eventually import eventually
from tests.run_processes import executes
from tests.run_template.templates import Template


def is_fork(report: dict, template: Template) -> bool:
    return bool(report["parent"] == template.process.pid)


def test_a_fork_is_like_an_interpreter_of_its_own(template):
    code, said, forked = template.run("report", command=None, PREFECT_LOGGING_LEVEL="DEBUG", EXTRA="ä\udcff")
    assert code == 0, said
    engine = start_run.ENGINE_COMMAND
    own_code, own_said, own = template.run("report", command=engine, PREFECT_LOGGING_LEVEL="DEBUG", EXTRA="ä\udcff")
    assert own_code == 0, own_said
    assert is_fork(forked, template)
    for report in (forked, own):
        del report["parent"], report["environment"]["PREFECT__FLOW_RUN_ID"], report["environment"]["ANSWER"]
    assert forked == own
    assert "Warning" not in said
    for words in ("written to standard output", "written to standard error", "Beginning flow run", "DEBUG"):
        assert (words in said, words in own_said) == (True, True), f"{words}\n{said}\n{own_said}"


@pytest.mark.parametrize("flow", ["spawns", "forks", "forks_by_itself", "closes_descriptors", "works_after_its_end"])
def test_a_run_may_do_what_it_likes(template, flow):
    code, said, answer = template.run(flow)
    assert (code, answer["done"]) == (0, True), said
    assert is_fork(answer, template)
    eventually(lambda: not template.forks(), "the fork to be gone")


@pytest.mark.parametrize(
    ("flow", "status"), [("exits", 7), ("is_killed", -signal.SIGKILL), ("crashes", -signal.SIGSEGV)]
)
def test_a_run_that_ends_by_itself(template, flow, status):
    assert template.run(flow)[0] == status
    assert template.process.is_running()


def test_a_signal_reaches_the_run(template):
    """Prefect's engine ends by the signal that it was sent, after it has handled it."""
    process, answer = template.start("waits")
    eventually(answer.exists, "the run to begin")
    process.terminate()
    said, _ = process.communicate()
    forked = process.returncode, template.state(process.run_id)
    process, answer = template.start("waits", command=start_run.ENGINE_COMMAND)
    eventually(answer.exists, "the run to begin")
    process.terminate()
    process.communicate()
    assert forked == (process.returncode, template.state(process.run_id)), said


def test_a_run_ends_with_the_process_that_requested_it(template):
    process, answer = template.start("waits")
    child = eventually(lambda: answer.exists() and json.loads(answer.read_text()))["child"]
    (fork,) = template.forks()
    assert executes(fork, process.run_id)
    process.kill()
    process.communicate()
    eventually(lambda: not template.forks(), "the fork to be gone")
    eventually(lambda: not psutil.pid_exists(child), "its child to be gone")


@pytest.mark.parametrize("kill_run", [False, True])
def test_a_run_outlives_its_template(victim, kill_run):
    process, answer = victim.start("waits_for_gate", GATE=str(victim.folder / "gate"))
    pid = eventually(lambda: answer.exists() and json.loads(answer.read_text()))["pid"]
    victim.process.kill()
    victim.process.wait()
    if kill_run:
        os.kill(pid, signal.SIGKILL)
    (victim.folder / "gate").touch()
    said, _ = process.communicate()
    assert process.returncode == (-signal.SIGKILL if kill_run else 0), said


@pytest.mark.parametrize("fault", ["killed", "gone", "stopped", "another hash seed"])
def test_a_run_starts_without_the_template(victim, fault):
    variables = {}
    if fault == "killed":
        victim.process.kill()
        victim.process.wait()
    elif fault == "gone":
        victim.socket.unlink()
    elif fault == "stopped":
        victim.process.suspend()
    else:
        variables = {"PYTHONHASHSEED": "7"}
    impatient = f"import sys; sys.path[:0] = [{str(Path(start_run.__file__).parent)!r}]; import start_run; "
    impatient += f"start_run.START_PATIENCE = 1; sys.argv[1:] = [{str(victim.socket)!r}]; start_run.main()"
    code, said, answer = victim.run("spawns", command=[sys.executable, "-c", impatient], **variables)
    assert (code, answer["done"]) == (0, True), said
    assert not is_fork(answer, victim)
    if fault == "stopped":
        victim.process.resume()
        assert victim.run("forks")[0] == 0
        eventually(lambda: not victim.forks(), "the fork that nobody waits for to be gone")


def test_what_is_installed_is_what_runs(victim):
    """A run that began before goes on, and its end is still reported."""
    before, answer = victim.start("waits_for_gate", GATE=str(victim.folder / "gate"))
    eventually(answer.exists, "the first run to begin")
    for version, file in ((1, "new_module.py"), (2, "new_module.py"), (3, "sitecustomize.py")):
        (victim.modules / file).write_text(f"import sys; sys.version_here = {version}")
        code, said, answer = victim.run("imports_new_module")
        assert (code, answer["seen"]) == (0, version), said
        assert is_fork(answer, victim)
    (victim.modules / "sitecustomize.py").write_text("import sys; sys.version_here = 4")
    (victim.modules / "new_module.py").unlink()
    assert victim.run("imports_new_module")[2]["seen"] == 4
    (victim.folder / "gate").touch()
    said, _ = before.communicate()
    assert before.returncode == 0, said


def test_packages_that_runs_use_are_imported_before_the_next_run(victim):
    """Runs share no random numbers, compute with all threads, and read their own variables when they import something."""
    assert victim.run("uses_numpy")[2]["imported"] == []
    record_used_packages(["numpy", "pandas", "matplotlib"], victim.packages)
    reports = [victim.run("uses_numpy")[2] for _ in range(2)]
    assert [each["imported"] for each in reports] == [["numpy", "pandas"]] * 2
    assert all(is_fork(each, victim) and each["product"] == 600**3 for each in reports)
    assert len({each["number"] for each in reports}) == 2
    assert victim.process.num_threads() == 1
    for variable in ("OPENBLAS_NUM_THREADS", "PANDAS_COPY_ON_WRITE"):
        assert not is_fork(victim.run("uses_numpy", **{variable: "1"})[2], victim)
    record_used_packages(["requests"], victim.packages)
    assert victim.run("uses_numpy")[2]["imported"] == ["numpy", "pandas", "requests"]


def test_a_package_that_starts_a_thread_is_not_imported_before_runs(victim):
    """The template has a run when it finds that out."""
    before, answer = victim.start("waits_for_gate", GATE=str(victim.folder / "gate"))
    eventually(answer.exists, "the first run to begin")
    (victim.modules / "requests.py").write_text(
        "import threading, time; threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()"
    )
    record_used_packages(["requests"], victim.packages)
    for _ in range(2):
        code, said, report = victim.run("uses_numpy")
        assert (code, report["imported"]) == (0, []), said
        assert is_fork(report, victim)
    (victim.folder / "gate").touch()
    said, _ = before.communicate()
    assert before.returncode == 0, said


def test_many_at_once(template):
    with contextlib.ExitStack() as ending:
        started = [template.start("forks") for _ in range(6)]
        for process, _ in started:
            ending.callback(process.kill)
        for process, _ in started:
            said, _ = process.communicate()
            assert process.returncode == 0, said
    parents = {json.loads(answer.read_text())["parent"] for _, answer in started}
    assert parents == {template.process.pid}
    assert len({json.loads(answer.read_text())["random"] for _, answer in started}) == len(started)


def test_ends_of_runs_and_of_their_processes_at_once(victim):
    """The template learns of all of them in one moment."""
    started = [victim.start("waits") for _ in range(4)]
    for process, answer in started:
        eventually(lambda: answer.exists() or process.poll() is not None, "the run to begin")  # noqa: B023  # called at once
    victim.process.suspend()
    for process, answer in started:
        process.kill()
        os.kill(json.loads(answer.read_text())["pid"], signal.SIGKILL)
        os.kill(json.loads(answer.read_text())["child"], signal.SIGKILL)
    waiting, answer = victim.start("spawns")
    victim.process.resume()
    said, _ = waiting.communicate()
    assert waiting.returncode == 0, said
    assert is_fork(json.loads(answer.read_text()), victim), said
    for process, _ in started:
        process.communicate()
    eventually(lambda: not victim.forks(), "the forks to be gone")


def test_the_template_ends_with_its_worker(victim):
    assert victim.process.stdin is not None
    victim.process.stdin.close()
    victim.process.wait()
    assert victim.process.returncode == 0
    assert not victim.socket.exists()


def test_the_template_has_one_thread_and_no_credential(template):
    assert template.process.num_threads() == 1
    assert "PREFECT_API_AUTH_STRING" not in template.process.environ()
    assert not template.process.net_connections("inet")


def test_a_spare_interpreter_becomes_one_run(spare):
    code, said, answer = spare.run("spawns")
    assert (code, answer["done"], answer["pid"]) == (0, True, spare.process.pid), said
    code, said, answer = spare.run("spawns")
    assert (code, answer["done"]) == (0, True), said
    assert answer["pid"] != spare.process.pid


def test_an_end_that_a_spare_interpreter_does_not_announce_counts_as_killed(spare):
    assert spare.run("exits")[0] == -signal.SIGKILL


def test_a_spare_interpreter_ends_with_the_process_that_requested_it(spare):
    process, answer = spare.start("waits")
    child = eventually(lambda: answer.exists() and json.loads(answer.read_text()))["child"]
    process.kill()
    process.communicate()
    eventually(lambda: spare.process.poll() is not None, "the run to be gone")
    eventually(lambda: not psutil.pid_exists(child), "its child to be gone")


def test_a_spare_interpreter_with_changed_files_is_not_used(spare):
    (spare.modules / "new_module.py").touch()
    code, said, answer = spare.run("spawns")
    assert (code, answer["done"]) == (0, True), said
    assert answer["pid"] != spare.process.pid
