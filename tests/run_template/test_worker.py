"""A Prefect worker of type `satflow`, as `satflow worker` starts it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psutil
import pytest
from prefect import flow, get_run_logger, task
from prefect.workers.process import ProcessWorker

from satflow_ext.errors import InvalidInfrastructure
from satflow_ext.executors import dask_processes
from satflow_ext.fork_requests.start_run import ENGINE_COMMAND, MEMORY_LIMIT, WITHOUT_FORK
from satflow_ext.job_variables.fit import build_job_variables
from satflow_ext.job_variables.template import Template
from satflow_ext.models import Infrastructure, Registration, RunDetail
from satflow_ext.prefect_rows import WorkPoolRow
from satflow_ext.registration.draft import find_ignored_memory
from satflow_ext.run_template.worker import START_COMMAND, SatflowWorker, add_memory_variable, choose_command
from satflow_ext.settings import GIB
from tests.eventually import eventually
from tests.flow_runs import ended, log_of, start_run
from tests.prefect_objects import until_pool_exists

SOCKET = Path("/private/socket")


@flow
def tells_of_its_parents():
    import psutil

    get_run_logger().info(f"parents {[each.pid for each in psutil.Process().parents()]}")


@pytest.fixture
def run_start() -> str:
    """The setting `run_start` of the worker, for tests with another one."""
    return "fork"


@pytest.fixture
def worker(stack, tmp_path, run_start) -> Iterator[psutil.Popen]:
    """The worker, and its work pool as the one that registrations choose."""
    pool = f"forks-{uuid4().hex[:8]}"
    environment = {
        **os.environ,
        "PREFECT_API_URL": stack.endpoints.prefect.url,
        "PREFECT_API_AUTH_STRING": str(stack.endpoints.prefect.auth_string),
        "PREFECT_WORKER_QUERY_SECONDS": "3600",  # runs start because the worker hears of them
        "TMPDIR": str(tmp_path),
        "SATFLOW_RUN_START": run_start,
    }
    command = [sys.executable, "-m", "satflow_ext.cli", "worker", "--pool", pool, "--limit", "1"]
    with (tmp_path / "worker.log").open("wb") as log:
        started = psutil.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    started.pool = pool
    asyncio.run(until_pool_exists(stack.endpoints.prefect, pool))
    yield started
    if started.poll() is None:
        started.terminate()
        started.wait()


def template_of(worker: psutil.Popen, *, for_dask: bool = False) -> psutil.Process:
    def look() -> psutil.Process | None:
        commands = {each: each.cmdline() for each in worker.children()}
        templates = [each for each, command in commands.items() if "satflow_ext.run_template" in command]
        found = [each for each in templates if ("--dask" in commands[each]) == for_dask]
        return found[0] if found else None

    return eventually(look, "the template", seconds=300)


def test_runs_are_forks_also_after_the_template_was_killed(stack, registered, ran, worker, tmp_path):
    done = registered(tells_of_its_parents, work_pool=worker.pool)
    first = template_of(worker)
    eventually(lambda: list(tmp_path.glob("satflow-template-*/run")), "its socket", seconds=300)
    assert first.pid in parents(stack, ran(done))
    first.kill()
    assert first.pid not in parents(stack, ran(done)), "a run needs no template"
    second = template_of(worker)
    eventually(lambda: list(tmp_path.glob("satflow-template-*/run")), "its socket", seconds=300)
    assert second.pid in parents(stack, ran(done))
    worker.terminate()
    worker.wait()
    eventually(lambda: not second.is_running(), "the template to end")
    assert not list(tmp_path.glob("satflow-template-*"))


@flow
def tells_its_command():
    import psutil

    get_run_logger().info(f"parents {[each.pid for each in psutil.Process().parents()]}")
    get_run_logger().info(f"command {psutil.Process().cmdline()}")


@pytest.mark.parametrize("run_start", ["spare", "exec"])
def test_runs_start_as_the_setting_requires(stack, registered, ran, worker, tmp_path, run_start):
    """A spare interpreter is for one run, and the next one waits for the next run."""
    done = registered(tells_its_command, work_pool=worker.pool)
    if run_start == "spare":
        eventually(lambda: list(tmp_path.glob("satflow-template-*/run-0")), "a spare interpreter", seconds=300)
    first = ran(done)
    assert worker.pid in parents(stack, first)
    assert ("--spare" in log_of(stack, first.run.id)) == (run_start == "spare")
    if run_start == "spare":
        eventually(lambda: list(tmp_path.glob("satflow-template-*/run-1")), "the next spare", seconds=300)
        assert "run-1" in log_of(stack, ran(done).run.id)
    worker.terminate()
    worker.wait()
    eventually(lambda: not list(tmp_path.glob("satflow-template-*")), "the folder to be gone")


@flow
def uses_memory(mib: int = 0, aborts: bool = False):
    import psutil

    get_run_logger().info(f"parents {[each.pid for each in psutil.Process().parents()]}")
    if aborts:
        os.abort()
    pieces = []
    while 10 * len(pieces) < mib:
        pieces.append(bytearray(10 * 2**20))


@pytest.mark.parametrize("env", [{}, {"PYTHONHASHSEED": "7"}], ids=["fork", "new interpreter"])
def test_a_run_that_exceeds_its_memory_limit_fails_with_the_reason(stack, registered, ran, worker, tmp_path, env):
    done = registered(uses_memory, work_pool=worker.pool, infrastructure={"memory": 0.5, "env": env})
    eventually(lambda: list(tmp_path.glob("satflow-template-*/run")), "its socket", seconds=300)
    within = ran(done, mib=100)
    assert (template_of(worker).pid in parents(stack, within)) == (not env)
    assert "Each process of this run may use 0.5 GiB of memory (RLIMIT_DATA)." in log_of(stack, within.run.id)
    beyond = ran(done, mib=2000)
    assert beyond.run.state_type == "FAILED"
    assert "exceeded its memory limit of 0.5 GiB" in beyond.failure.cause
    assert "uses_memory" in {frame.function for each in beyond.failure.exceptions for frame in each.frames}
    aborted = ran(done, aborts=True)
    assert aborted.run.state_type == "CRASHED"
    assert (
        "probably exceeded its memory limit of 0.5 GiB: its process ended by the signal SIGABRT"
        in aborted.failure.cause
    )


def test_the_memory_limit_of_a_command_that_is_not_a_fork():
    show = "import resource; print(resource.getrlimit(resource.RLIMIT_DATA)[0])"
    command = [*START_COMMAND, WITHOUT_FORK, sys.executable, "-c", show]
    assert subprocess.check_output(command, env={**os.environ, MEMORY_LIMIT: str(GIB)}, text=True) == f"{GIB}\n"


def test_a_template_of_an_earlier_version_gets_the_memory_limit():
    earlier = ProcessWorker.get_default_base_job_template()
    with pytest.raises(InvalidInfrastructure, match=r"Add to its base job template .*memory_limit"):
        build_job_variables(Infrastructure(memory=2), Template.parse("pool", "process", earlier))
    completed = Template.parse("pool", "process", add_memory_variable(earlier))
    assert build_job_variables(Infrastructure(memory=2), completed) == {"memory_limit": 2.0}
    assert completed == Template.parse("pool", "process", SatflowWorker.get_default_base_job_template())


@pytest.mark.parametrize(
    ("kind", "memory", "local", "warned"),
    [
        ("process", 2, False, True),
        ("process", None, False, False),
        ("process", 2, True, False),
        ("satflow", 2, False, False),
    ],
)
def test_a_work_pool_of_the_type_process_may_ignore_the_memory_limit(kind, memory, local, warned):
    pool = WorkPoolRow(name="team", type=kind)
    choice = Registration(infrastructure=Infrastructure(memory=memory))
    found = find_ignored_memory(pool, choice, local=local)
    assert ["satflow worker --pool team" in each.sentence for each in found] == [True] * warned


def test_runs_of_the_local_stack_may_not_have_more_memory_than_the_machine(registered):
    with pytest.raises(InvalidInfrastructure, match=r"This machine has .* GiB of memory, fewer than 60000"):
        registered(uses_memory, infrastructure={"memory": 60000})
    with pytest.raises(InvalidInfrastructure, match=r"memory_limit: 0.1 is less than the minimum of 0.25"):
        registered(uses_memory, infrastructure={"memory": 0.1})


@task
def tells_of_its_parent():
    return os.getppid()


@flow
def tells_of_parents_of_tasks():
    import psutil

    parent = psutil.Process(tells_of_its_parent.submit().result())
    get_run_logger().info(f"parents {[each.pid for each in [parent, *parent.parents()]]}")


def test_the_first_run_with_dask_starts_the_template_for_dask(stack, registered, ran, worker, tmp_path):
    """Whose process remains, and ends with the worker."""
    dask_processes.variables_file(stack.settings).unlink(missing_ok=True)
    done = registered(
        tells_of_parents_of_tasks, work_pool=worker.pool, executor={"name": "dask-local", "options": {"n_workers": 1}}
    )
    first = template_of(worker)
    eventually(lambda: list(tmp_path.glob("satflow-template-*/run")), "its socket", seconds=300)
    assert first.pid in parents(stack, ran(done)), "its Dask workers are new interpreters"
    template = template_of(worker, for_dask=True)
    eventually(lambda: list(tmp_path.glob("satflow-template-*/dask")), "its socket", seconds=300)
    assert parents(stack, ran(done))[0] == template.pid
    worker.terminate()
    worker.wait()
    eventually(lambda: not template.is_running(), "the template to end")


def test_a_waiting_run_starts_when_there_is_room(stack, registered, worker):
    deployment = registered(tells_of_its_parents, work_pool=worker.pool).deployment.id
    template_of(worker)
    started = [start_run(stack, deployment) for _ in range(3)]
    for run_id in started:
        assert ended(stack, run_id).run.state_type == "COMPLETED"


def parents(stack, detail: RunDetail) -> list[int]:
    log = log_of(stack, detail.run.id)
    assert detail.run.state_type == "COMPLETED", log
    line = next(each for each in log.splitlines() if "parents [" in each)
    return [int(pid) for pid in line.partition("[")[2].rstrip("]").split(",")]


def test_a_template_is_not_left_by_a_killed_worker(worker, tmp_path):
    template = template_of(worker)
    worker.kill()
    worker.wait()
    eventually(lambda: not template.is_running() or template.status() == psutil.STATUS_ZOMBIE, "its end", seconds=300)
    assert not list(tmp_path.glob("satflow-template-*"))


@pytest.mark.parametrize(
    "command",
    [
        "python -m prefect.engine",
        "nice " + " ".join(ENGINE_COMMAND),
        f"{sys.executable} -u -m prefect.engine",
        f"{sys.executable} -m satflow_ext.environments.engine_start /tmp",
        "",
    ],
)
def test_other_commands_are_kept(command):
    assert choose_command(command, lambda: SOCKET) == command


def test_the_engine_with_this_interpreter_is_a_fork():
    assert choose_command(" ".join(ENGINE_COMMAND), lambda: SOCKET).endswith(f"start_run.py {SOCKET}")
