"""The pre-flight report of a real kernel."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from satflow_ext.kernel_calls import build_preflight_call
from satflow_ext.models import ExecutorChoice, Preflight, Registration
from satflow_ext.registration.preflight import add_choice_findings
from satflow_ext.settings import Settings

if TYPE_CHECKING:
    from tests.kernel.kernel_process import Kernel

CELL = """
import os, sqlite3, threading
import numpy as np
from prefect import flow, task
from prefect.task_runners import ThreadPoolTaskRunner
import shelves

big = np.zeros(1_000_000)
few = list(range(10))
GITHUB = "ghp_" + "a1B2" * 9
SECRET_KEY = "q8Zk-" + "7f" * 12
lock = threading.Lock()
db = sqlite3.connect(":memory:")
words = open(os.devnull)
environ = os.environ

@task
def work(x):
    return big.sum() + shelves.shelf(x)

@flow
def fine(n: int = 3):
    return [work(i) for i in few]

@flow
def telling(key: str = SECRET_KEY):
    return GITHUB, key

@flow(task_runner=ThreadPoolTaskRunner(max_workers=2))
def careful():
    return 1

@flow
def dead():
    with lock:
        return db.execute("select 1"), words.read(), environ
"""


@pytest.fixture(scope="module")
def notebook(module_kernel: Kernel) -> Kernel:
    module_kernel.run("open('shelves.py', 'w').write('def shelf(x):\\n    return x + 1\\n')")
    module_kernel.run(CELL)
    return module_kernel


def report(kernel: Kernel, variable: str, *include: str) -> Preflight:
    content, published = kernel.ask(build_preflight_call(variable, include))
    assert [each["msg_type"] for each in published] == ["status", "status"]
    return Preflight.model_validate(content)


def test_what_travels_by_value_the_biggest_first(notebook: Kernel) -> None:
    found = report(notebook, "fine")
    assert found.findings == ()
    assert found.size is not None
    assert found.size > 8_000_000
    assert (found.captured[0].where, found.captured[0].type) == ("fine -> work -> big", "ndarray")
    assert found.captured[0].size == pytest.approx(8_000_000, rel=0.01)
    assert "fine -> few" in [each.where for each in found.captured]
    assert [each.size for each in found.captured] == sorted((each.size for each in found.captured), reverse=True)
    assert found.local_modules == ("shelves",)
    assert {"numpy", "prefect"} <= set(found.packages)


def test_credentials_are_told_by_where_they_are_and_never_shown(notebook: Kernel) -> None:
    found = report(notebook, "telling")
    told = {(each.where, each.message) for each in found.findings}
    assert ("telling -> GITHUB", "looks like a GitHub token") in told
    assert {each.kind for each in found.findings} == {"credential"}
    assert {each.level for each in found.findings} == {"warning"}
    text = json.dumps(found.model_dump(mode="json"))
    assert "a1B2" not in text
    assert "7f7f" not in text


def test_live_objects_are_told_with_their_variable_and_the_usual_fix(notebook: Kernel) -> None:
    found = report(notebook, "dead")
    assert found.size is None
    told = {each.where: each for each in found.findings}
    assert told["dead -> lock"].message == "a lock (_thread.lock)"
    assert told["dead -> db"].message == "a database connection (sqlite3.Connection)"
    assert told["dead -> words"].message == "an open file (_io.TextIOWrapper)"
    assert "dead -> environ" not in told  # it travels by reference
    assert (told["dead -> db"].level, told["dead -> words"].level) == ("error", "error")
    assert "inside the task" in (told["dead -> db"].fix or "")


def test_a_default_is_searched_under_its_parameter_s_name(notebook: Kernel) -> None:
    notebook.run("@flow\ndef asks(token='Lily-4711', *, password='Tulip2026!'): return password")
    assert [(each.where, each.kind) for each in report(notebook, "asks").findings] == [
        ("asks -> (default password)", "credential"),
        ("asks -> (default token)", "credential"),
    ]


def test_data_files_with_their_sizes_the_biggest_first(notebook: Kernel) -> None:
    notebook.run("for name, size in (('a', 1), ('b', 300), ('c', 20)): open(name + '.dat', 'w').write('x' * size)")
    found = report(notebook, "fine", "*.dat")
    assert [(each.path, each.size) for each in found.files] == [("b.dat", 300), ("c.dat", 20), ("a.dat", 1)]
    (finding,) = report(notebook, "fine", "*.dta").findings
    assert (finding.kind, finding.level, finding.where) == ("file", "error", "include")
    assert "'*.dta' matches no file" in finding.message


def test_a_task_runner_of_the_flow_s_own_is_reported_where_an_executor_replaces_it(notebook: Kernel) -> None:
    found = report(notebook, "careful")
    assert found.findings == ()
    assert found.task_runner is not None
    assert found.task_runner.text == "ThreadPoolTaskRunner(max_workers=2)"
    assert add_choice_findings(found, Registration(), Settings()).findings == ()
    (finding,) = add_choice_findings(found, Registration(executor=ExecutorChoice(name="threads")), Settings()).findings
    assert (finding.kind, finding.level, finding.where) == ("task runner", "warning", "careful")
    assert finding.message == (
        "runs its tasks with the executor threads instead of its own ThreadPoolTaskRunner(max_workers=2)"
    )
