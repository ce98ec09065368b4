"""The executor `ray`, on a real Ray, which only the environment beside the tests' own has."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from prefect import flow

from satflow_ext import executors, scratch
from satflow_ext.errors import ExtraMissing, InvalidExecutorOption
from satflow_ext.models import ExecutorChoice, Registration
from satflow_ext.registration import register
from satflow_ext.runs import list_task_runs
from satflow_ext.session import OpenConnection, Session
from satflow_ext.settings import Settings
from tests.backends.ssh_here import running
from tests.eventually import eventually
from tests.ports import free_ports

BESIDE = Path(sys.prefix) / "beside" / "bin"
FLOW = """
import os
import signal
import subprocess
import ray
from pathlib import Path
from prefect import flow, get_run_logger, task

@task(log_prints=True)
def crunches(number):
    secret = os.environ.get("SIGNS", "nothing")
    print(f"task {number} in {os.getpid()}, {Path('data.txt').read_text()}, secret {secret}")
    return number * number

@task
def total(numbers):
    return sum(numbers)

@task
def fails(number, by):
    return number / by

@task(log_prints=True)
def tells(number):
    print(f"told {number}")
    return os.getpid()

@flow
def on_ray(number: int = 0):
    log = get_run_logger()
    if number < 0:
        for process in set(tells.map(range(-number)).result()):
            os.kill(process, signal.SIGKILL)
        return
    if number:
        return fails.submit(number, [0]).result()
    log.info("flow in %s, print is %s", os.getpid(), print.__module__)
    log.info("total %s", total.submit(crunches.map(range(4))).result())
    listening = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout
    rays = [line.split() for line in listening.splitlines() if "ray" in line or "gcs_server" in line]
    log.info("listens at %s", sorted({each[3].rpartition(":")[0] for each in rays}))
"""
WAITS = """
import time
from prefect import flow, get_run_logger, task

@task
def waits():
    time.sleep(600)

@flow
def on_ray():
    get_run_logger().info("there is a Ray")
    waits.submit().result()
"""


def satflow(*words, **environment):
    """A command of the environment that has Ray."""
    command = [BESIDE / "python", "-m", "satflow_ext.cli", *map(str, words)]
    given = {**os.environ, **environment}
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False, env=given)


@pytest.fixture
def registered(stack, notebook, name, tmp_path):
    """Registers a notebook's flow with options of the executor; gives the deployment's name."""

    def register(cell, *options):
        (tmp_path / "data.txt").write_text("carried")
        done = satflow("register", notebook(cell), "--name", name, "--executor", "ray", *options)
        assert done.returncode == 0, done.stdout + done.stderr
        return name

    return register


@contextmanager
def cluster(inside=(), host="127.0.0.1", **environment):
    """A Ray that somebody else runs, at that address, maybe inside a network namespace; gives its address."""
    port, clients = free_ports(2)
    folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))  # short: sockets are in it
    words = (
        f"start --head --port {port} --ray-client-server-port {clients} --node-ip-address {host} --num-cpus 2 --block"
    )
    more = ["--include-dashboard", "false", "--disable-usage-stats", "--temp-dir", folder / "ray"]
    with (folder / "log").open("wb") as log:
        head = subprocess.Popen(
            [*inside, BESIDE / "ray", *words.split(), *more], env={**os.environ, **environment}, stdout=log, stderr=log
        )
    try:
        eventually(lambda: b"Ray runtime started" in (folder / "log").read_bytes(), "a Ray that runs", 300)
        yield f"ray://{host}:{clients}"
    finally:
        for each in psutil.Process(head.pid).children(recursive=True):
            each.kill()
        head.kill()
        head.wait()
        shutil.rmtree(folder)


def rays_of(house):
    """Ray's own processes that these tests have started."""
    found = []
    for each in psutil.process_iter(["name"]):
        try:
            if each.info["name"] in ("raylet", "gcs_server") and str(house) in each.environ().get("HOME", ""):
                found.append(each)
        except psutil.Error:
            continue
    return found


def works(house, name):
    """Tell if a Ray that these tests have started has a process of that name."""
    with suppress(psutil.NoSuchProcess):
        return any(each.name() == name for ray in rays_of(house) for each in ray.children(recursive=True))
    return False


def ray_folders(process):
    """The folders that Ray has on disk for the run in this process: runs of other tests have theirs there too."""
    return list(Path(tempfile.gettempdir()).glob(f"satflow-run-{process}-*"))


def test_a_ray_of_the_run_s_own_is_private_and_leaves_nothing(stack, house, registered, tmp_path, settings_file):
    kept = tmp_path / "secrets"
    kept.mkdir()
    (kept / "SIGNS").write_text("an open sesame")
    settings_file.write_text(f'secrets_dir = "{kept}"\n')
    deployment = registered(FLOW, "--include", "data.txt", "--num-cpus", "2", "--secret", "SIGNS")
    said = satflow("run", deployment, "--follow").stdout
    assert "Completed" in said, said
    assert "total 14" in said
    assert "print is builtins" in said
    tasks = dict(re.findall(r"task (\d) in (\d+), carried, secret \[secret SIGNS\]", said))
    assert tasks.keys() == {"0", "1", "2", "3"}, said
    process = re.search(r"flow in (\d+)", said)[1]
    assert process not in tasks.values()
    listens = re.search(r"listens at \[(.+)\]", said)[1]
    assert set(re.findall(r"\d+\.\d+\.\d+\.\d+", listens)) == {"127.0.0.1"}, listens
    assert not rays_of(house)
    assert not ray_folders(process)
    assert "unsupported operand" in satflow("run", deployment, "--param", "number=7", "--follow").stdout
    assert inputs_of_failed_task(stack, deployment) == {"number": 7, "by": [0]}
    told = satflow("run", deployment, "--param", "number=-4", "--follow").stdout
    assert set(re.findall(r"told (\d)", told)) == {"0", "1", "2", "3"}, (
        "the lines of processes killed after their tasks"
    )
    states = [each.state_type for each in tasks_of_last_run(stack, deployment)]
    assert states == ["COMPLETED"] * 4, told


SLOW_START = """
import ray
from satflow_ext.executors import ray_runner

calls = []

def init(*words, **options):
    calls.append("init")
    if calls.count("init") < int({failures}):
        raise Exception("The current node timed out during startup. This could happen because the GCS is overloaded.")
    if {broken}:
        raise Exception("no space left")

ray.init, ray.shutdown = init, lambda: calls.append("shutdown")
try:
    ray_runner._start_with_retries()
except Exception as error:
    calls.append(str(error)[:20])
print(calls)
"""


@pytest.mark.parametrize(
    ("failures", "broken", "calls"),
    [
        (3, False, ["init", "shutdown", "init", "shutdown", "init"]),
        (0, True, ["init", "no space left"]),
    ],
)
def test_a_start_that_takes_too_long_is_repeated(failures, broken, calls):
    script = SLOW_START.format(failures=failures, broken=broken)
    done = subprocess.run([BESIDE / "python", "-c", script], capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout.splitlines()[-1] == str(calls)


def tasks_of_last_run(stack, deployment):
    session = Session(OpenConnection(stack.settings, stack.endpoints))

    async def read():
        run = await session.find_run(deployment)
        return await list_task_runs(stack.endpoints.prefect, run.id)

    return asyncio.run(read())


def inputs_of_failed_task(stack, deployment):
    """The kept inputs of the only failed task of a deployment's latest run."""
    session = Session(OpenConnection(stack.settings, stack.endpoints))

    async def download():
        run = await session.find_run(deployment)
        (failed,) = await session.runs.read_failed_tasks(run.id)
        return dict((await session.runs.download_inputs(run.id, failed)).read_inputs())

    return asyncio.run(download())


def test_a_cluster_that_is_there_brings_data_files_and_asks_for_its_token(registered, tmp_path, settings_file, name):
    token, kept = secrets.token_hex(32), tmp_path / "secrets"
    kept.mkdir()
    (kept / "RAY_AUTH_TOKEN").write_text(token)
    settings_file.write_text(f'secrets_dir = "{kept}"\ntell_prefect = "messages"\n')
    with cluster(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=token) as address:
        options = ("--include", "data.txt", "--address", address)
        said = satflow("run", registered(FLOW, *options, "--secret", "RAY_AUTH_TOKEN"), "--follow").stdout
        assert "Completed" in said, said
        assert "total 14" in said
        assert len(re.findall(r"task \d in \d+, carried, secret nothing", said)) == 4, said
        refused = satflow("run", registered(FLOW, *options), "--follow").stdout
        assert "Failed" in refused, refused
        assert "The Ray cluster at [cluster address] cannot be used: ray client connection timeout." in refused
        assert "RAY_AUTH_TOKEN is among the flow's secrets" in refused
    away = satflow("run", name, "--follow").stdout
    assert "The Ray cluster at [cluster address] cannot be reached: Connection refused." in away
    assert "flow in" not in away


def test_machines_that_do_not_reach_the_local_stack_are_told_before_the_first_task(registered, tmp_path):
    with running(tmp_path / "hosts") as hosts:
        inside = ("ip", "netns", "exec", hosts.namespace(0))
        with cluster(inside, hosts.addresses[0]) as address:
            said = satflow("run", registered(FLOW, "--address", address), "--follow").stdout
    assert "Failed" in said, said
    assert f"A machine of the Ray cluster at {address} cannot reach the Prefect API of the local stack." in said
    assert "flow in" not in said


def test_nothing_of_a_ray_outlives_a_run_that_was_killed(stack, house, registered):
    satflow("run", registered(WAITS, "--num-cpus", "1"))
    eventually(lambda: works(house, "ray::waits"), "a task on Ray", 300)
    (killed,) = {each.parent() for each in rays_of(house) if each.name() == "gcs_server"}
    assert ray_folders(killed.pid)
    killed.send_signal(signal.SIGKILL)
    eventually(lambda: not rays_of(house), "the end of Ray")

    def removed():
        scratch.remove_orphaned_folders(stack.settings)
        return not ray_folders(killed.pid)

    eventually(removed, "the end of Ray's folders")


@flow
def crunches():
    pass


def test_without_ray_the_command_that_installs_it_is_told(stack, packed):
    """Where the flow's notebook lacks it: this environment does."""
    wanted = Registration(name="no-ray", executor=ExecutorChoice(name="ray"))
    told = "needs prefect-ray and ray, which the flow's environment does not have. .*pip install 'satflow-ext\\[ray\\]'"
    with pytest.raises(ExtraMissing, match=told):
        asyncio.run(register(packed(crunches), wanted, stack.endpoints, stack.settings))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"num_cpus": 0}, "'num_cpus' of executor 'ray' is invalid: it must be at least 1."),
        ({"address": "head.example:10001"}, "Example: ray://head.example:10001."),
        ({"address": "ray://ann:secret@head.example:10001"}, "it does not have the required format."),
        ({"address": "ray://head.example:10001", "num_cpus": 2}, "contradict each other: .*leave out num_cpus"),
    ],
)
def test_what_does_not_fit_is_told_in_words(options, said):
    with pytest.raises(InvalidExecutorOption, match=said):
        executors.validate_choice(ExecutorChoice(name="ray", options=options), Settings(), runs_locally=False)
