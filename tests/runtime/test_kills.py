"""Whatever is killed, at whatever moment: every run ends, those that lost nothing complete, and nothing stays behind.

A few rounds here; `KILLS=200` does that many, and `KILLS_FROM=50` leaves out those before. Each kills one process of a stack on
which three runs are under way: two that share a cluster of the Dask Gateway, and one with a cluster of its own.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from itertools import count, islice

import psutil
import pytest
from prefect import flow, task
from websockets.sync.client import connect

from satflow_ext import runs
from satflow_ext.models import ExecutorChoice, Subscribe
from satflow_ext.scratch import remove_orphaned_folders
from tests.contract.jupyter_server import serving
from tests.flow_runs import ended, log_of, start_run
from tests.processes import processes_of
from tests.run_processes import executes, is_flow_run, is_process_of_run

ROUNDS = int(os.environ.get("KILLS", "4"))
FIRST = int(os.environ.get("KILLS_FROM", "0"))
LATEST = 12.0
"""Seconds after the start of the runs in which something is killed."""
IDLE = 5
GONE = 90.0
"""Seconds until nothing of a round is there any more: the idle time-out, and the gateway's look for the dead."""
SHARED = ExecutorChoice(name="dask-cluster", options={"n_workers": 1, "idle_timeout": IDLE})
OWN = ExecutorChoice(name="dask-local", options={"n_workers": 1})


@task(retries=1)
def crunch(number):
    time.sleep(0.5)
    return number


@flow
def crunches():
    assert crunch.map(range(8)).result() == list(range(8))


@dataclass(frozen=True)
class Victim:
    """What is killed, how it is found, and which of the three runs may not notice: `shared`, `other` and `own`."""

    name: str
    is_it: Callable[[psutil.Process, str], bool]
    complete: frozenset[str]


def _runs(module: str) -> Callable[[psutil.Process, str], bool]:
    return lambda process, run_id: module in " ".join(process.cmdline())


def _is_template(process: psutil.Process, run_id: str) -> bool:
    is_fork = is_flow_run(process) or is_process_of_run(process)
    parent = process.parent()  # a new fork has its name a moment later
    is_new_fork = parent is not None and "satflow_ext.run_template" in parent.cmdline()
    return "satflow_ext.run_template" in process.cmdline() and not is_fork and not is_new_fork


JUPYTER = Victim("the Jupyter server", _runs("-m jupyter_server"), frozenset({"shared", "other", "own"}))
VICTIMS = (
    Victim("the flow run", executes, frozenset({"other", "own"})),
    Victim("a template of the flow runs", _is_template, frozenset({"shared", "other", "own"})),
    JUPYTER,
    Victim("the scheduler of the shared cluster", _runs("dask_scheduler"), frozenset({"own"})),
    Victim("the Dask worker of the shared cluster", _runs("distributed.cli.dask_worker"), frozenset({"own"})),
    Victim("the Dask Gateway", _runs("satflow_ext.stack.gateway_server"), frozenset({"shared", "other", "own"})),
    Victim("the proxy of the Dask Gateway", _runs("dask-gateway-proxy"), frozenset({"own"})),
    Victim("the Prefect worker", _runs("prefect.cli.worker"), frozenset()),
)


def rounds() -> Iterator[tuple[Victim, float]]:
    """The same ones each time."""
    chance = random.Random(7)  # no secret
    every = ((VICTIMS[number % len(VICTIMS)], chance.uniform(0, LATEST)) for number in count())
    return islice(every, FIRST, FIRST + ROUNDS)


@pytest.mark.timeout(300 * max(ROUNDS, 1))
def test_killed_at_any_moment(stack, registered, tmp_path):
    shared = registered(crunches, executor=SHARED, name="shared").deployment.id
    own = registered(crunches, executor=OWN, name="own").deployment.id
    for victim, moment in rounds():
        with watched(tmp_path) if victim is JUPYTER else nullcontext():
            started = {
                "shared": start_run(stack, shared),
                "other": start_run(stack, shared),
                "own": start_run(stack, own),
            }
            killed = kill(stack, victim, started["shared"], moment)
            ends = {which: ended(stack, run_id, 240).run.state_type for which, run_id in started.items()}
        told = f"{victim.name}, {moment:.1f} s, killed: {killed}: {ends}"
        print(told)  # noqa: T201  # shown with -s
        unharmed = set(victim.complete) if killed else set(started)
        for which in unharmed:
            assert ends[which] == "COMPLETED", f"{told}\n{log_of(stack, started[which])}"
        nothing_stays(stack)


@contextmanager
def watched(folder) -> Iterator[None]:
    """Somebody watches runs and clusters in JupyterLab."""
    with serving(folder) as server:
        where = f"{server.url.replace('http', 'ws', 1)}/satflow/stream"
        with connect(where, additional_headers={"Authorization": f"token {server.token}"}) as tab:
            for topic in ("runs", "clusters"):
                tab.send(Subscribe(topic=topic).model_dump_json())
            yield


def kill(stack, victim: Victim, run_id: str, moment: float) -> bool:
    """Kill it at that moment, or as soon as it is there; whether it was there before the run's end."""
    time.sleep(moment)
    while True:
        for process in processes_of(stack.settings.state_dir):
            try:
                if victim.is_it(process, run_id):
                    process.kill()
                    return True
            except psutil.Error:
                continue
        if asyncio.run(runs.read_run(stack.endpoints.prefect, run_id)).state_type in ("COMPLETED", "FAILED", "CRASHED"):
            return False
        time.sleep(0.1)


def nothing_stays(stack) -> None:
    """No process of a run or a cluster, and no folder of theirs."""
    deadline = time.monotonic() + GONE
    while left := [*leftovers(stack), *scratch(stack)]:
        assert time.monotonic() < deadline, f"still there: {left}"
        time.sleep(0.5)


def leftovers(stack) -> list[str]:
    words = (
        *("dask_scheduler", "distributed.cli"),
        *("jupyter_server", "satflow_ext.clusters.cluster_watcher"),
    )
    lines = []
    for process in processes_of(stack.settings.state_dir):
        try:
            line = " ".join(process.cmdline())
            if is_flow_run(process) or is_process_of_run(process) or any(word in line for word in words):
                lines.append(line)
        except psutil.Error:
            continue
    return lines


def scratch(stack) -> list[str]:
    """Folders of flow runs. The stack takes away every ten minutes what killed ones left; here it is done at once.

    The Prefect worker keeps one for all runs that crashed (docs/decisions/0005).
    """
    remove_orphaned_folders(stack.settings)
    folders = [each.name for each in (stack.settings.runtime_dir / "scratch").glob("run-*")]
    return [each for each in folders if not _is_prefect_worker(int(each.split("-")[1]))]


def _is_prefect_worker(pid: int) -> bool:
    try:
        return "prefect.cli.worker" in " ".join(psutil.Process(pid).cmdline())
    except psutil.NoSuchProcess:
        return False
