"""A flow run goes on while its own process lives, and not while any other process has its number."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from satflow_ext.lease.start import STACK_MARK
from satflow_ext.stack.orphaned_runs import has_process
from satflow_ext.stack.prefect_calls import FlowRun
from satflow_ext.stack.stack_processes import RUN_MARK
from satflow_ext.stack.supervisor import _select_lost_runs

Spawn = Callable[[dict[str, str]], int]


@pytest.fixture
def spawn() -> Iterator[Spawn]:
    """Start processes with additional environment variables; their ids."""
    started = []

    def start(variables: dict[str, str]) -> int:
        process = subprocess.Popen(
            [sys.executable, "-S", "-c", "print(flush=True); input()"],
            env={**os.environ, **variables},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        started.append(process)
        assert process.stdout is not None
        process.stdout.readline()  # it has its own environment by now
        return process.pid

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ("variables", "alive"),
    [
        ({STACK_MARK: "/run/mine", RUN_MARK: "the run"}, True),
        ({STACK_MARK: "/run/mine", RUN_MARK: "another run"}, False),
        ({STACK_MARK: "/run/mine"}, False),  # such as the store
        ({STACK_MARK: "/run/theirs", RUN_MARK: "the run"}, False),
    ],
)
def test_only_the_process_of_a_run_lets_it_go_on(spawn: Spawn, variables: dict[str, str], alive: bool) -> None:
    run = FlowRun(id="the run", name="a", state_type="RUNNING", infrastructure_pid=str(spawn(variables)))
    assert has_process(run, "/run/mine") == alive
    assert _select_lost_runs([run], "/run/mine") == ([] if alive else [run])


def test_a_run_without_a_known_process_is_not_lost(spawn: Spawn) -> None:
    run = FlowRun(id="the run", name="a", state_type="PENDING")
    assert not has_process(run, "/run/mine")
    assert _select_lost_runs([run], "/run/mine") == []
