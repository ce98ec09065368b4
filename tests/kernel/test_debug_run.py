"""`%debug_run`: a failed run in a real kernel, whose new cell repeats the failed call with the same inputs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    from tests.kernel.kernel_process import Kernel
    from tests.local_stack import Stack

FLOW = """
from prefect import flow, task
import threading
FACTOR = 10
class Point:
    def __init__(self, x): self.x = x
@task
def locate(point, rows, /, *more, lock=None, **names):
    assert isinstance(point, Point)
    raise ValueError(f"{FACTOR} {point.x} {rows} {more} {sorted(names)} {lock}")
@task
async def later(number): raise KeyError(number)
@task
def load(number): return list(range(number))
@flow(name=NAME)
def main(kind: str, number: int = 3):
    if kind == "async":
        both = later.map([number, number + 1])
        both.wait()
        return both.result()
    if kind == "flow": raise ValueError(f"flow {number}")
    if kind == "local":
        @task
        def inside(number): return number / 0
        return inside(number)
    return locate(Point(5), load.submit(number), "a", "b", lock=threading.Lock() if kind == "lock" else None, c=1)
"""
RUNS = "runs = {kind: satflow_ext.run(NAME, kind=kind) for kind in ('plain', 'async', 'lock', 'flow', 'local')}"
WAIT = "for run in runs.values(): run.wait()"


@pytest.fixture(scope="module")
def notebook(module_kernel: Kernel, stack: Stack) -> Kernel:
    """A kernel with failed runs, whose notebook has changed since."""
    module_kernel.run(f"%load_ext satflow_ext\nimport satflow_ext\nNAME = 'debug-{uuid4().hex[:6]}'")
    for cell in (FLOW, "%register_flow main", RUNS, WAIT, "FACTOR = 11\ndebug = 'mine'"):
        module_kernel.run(cell)
    assert set(eval(module_kernel.value("[run.state for run in runs.values()]"))) == {"FAILED"}
    return module_kernel


def new_cell(notebook: Kernel, line: str) -> str:
    """The text that a line puts into a new cell."""
    reply, _ = notebook.send(line)
    (payload,) = reply["payload"]
    return str(payload["text"])


def raised(notebook: Kernel, code: str) -> tuple[str, str]:
    reply, _ = notebook.send(code)
    return reply["ename"], reply["evalue"]


def test_the_new_cell_repeats_the_failed_call(notebook: Kernel) -> None:
    cell = new_cell(notebook, f"%debug_run {name_of(notebook, 'plain')}")
    assert "The notebook has another value in debug, so this is in debug_2." in cell
    assert cell.endswith(
        "debug_2.task.fn(debug_2.inputs['point'], debug_2.inputs['rows'], *debug_2.inputs['more'], "
        "lock=debug_2.inputs['lock'], **debug_2.inputs['names'])"
    )
    assert raised(notebook, cell) == ("ValueError", "10 5 [0, 1, 2] ('a', 'b') ['c'] None")
    own = own_call(cell)
    assert own.startswith("locate.fn(debug_2.inputs['point'], ")
    assert raised(notebook, own) == ("ValueError", "11 5 [0, 1, 2] ('a', 'b') ['c'] None")
    assert notebook.value("debug, FACTOR, debug_2.parameters['kind']") == "('mine', 11, 'plain')"


def own_call(cell: str) -> str:
    """The call of the notebook's own function, which a comment of the cell contains."""
    (found,) = re.findall(r"^# The same with \w+ as it is in this notebook: (.+)$", cell, re.MULTILINE)
    return str(found)


def name_of(notebook: Kernel, kind: str) -> str:
    """The name of a run of the kernel."""
    return notebook.value(f"runs[{kind!r}].name").strip("'")


def test_an_async_task_and_one_of_several(notebook: Kernel) -> None:
    run = name_of(notebook, "async")
    cell = new_cell(notebook, f"%debug_run {run} --as failed")
    assert cell.endswith("await failed.task.fn(**failed.inputs)")
    assert own_call(cell) == "await later.fn(**failed.inputs)"
    kind, number = raised(notebook, cell)
    assert f"{kind}: {number}" in notebook.value("failed.run.state_message"), "the task that ended the run"
    names = eval(notebook.value("[task.name for task in runs['async'].tasks if task.task == 'later']"))
    assert len(names) == 2
    numbers = {new_and_raised(notebook, f"%debug_run {run} --task {name} --as failed") for name in names}
    assert numbers == {("KeyError", "3"), ("KeyError", "4")}
    error = stderr_of(notebook, f"%debug_run {run} --task later")
    assert "2 failed task runs belong to the task 'later'." in error
    assert "has kept no inputs of a failed task 'nothing'" in stderr_of(notebook, f"%debug_run {run} --task nothing")


def new_and_raised(notebook: Kernel, line: str) -> tuple[str, str]:
    return raised(notebook, new_cell(notebook, line))


def stderr_of(notebook: Kernel, line: str) -> str:
    _, published = notebook.send(line)
    streams = [each["content"] for each in published if each["msg_type"] == "stream"]
    return "".join(each["text"] for each in streams if each["name"] == "stderr")


def test_a_missing_input_stops_the_cell_instead_of_a_default(notebook: Kernel) -> None:
    run = name_of(notebook, "lock")
    cell = new_cell(notebook, f"%debug_run {run} --as failed")
    assert "failed.inputs['lock'] = failed.missing('lock')  # it cannot be pickled" in cell
    assert raised(notebook, cell)[0] == "InputNotKept"


@pytest.mark.parametrize(
    ("kind", "note"), [("flow", "No task of this run failed"), ("local", "is created while the flow")]
)
def test_otherwise_the_cell_calls_the_flow(notebook: Kernel, kind: str, note: str) -> None:
    cell = new_cell(notebook, f"%debug_run {name_of(notebook, kind)} --as failed")
    assert note in cell
    assert cell.endswith("failed.flow(**failed.parameters)")
    assert own_call(cell) == "main(**failed.parameters)"
    assert notebook.value("failed.parameters, failed.flow.fn is main.fn") == f"({{'kind': {kind!r}}}, False)"


MISTAKES = {
    "no-such-run": "No flow run has the id or name 'no-such-run'.",
    "{name} --as debug": "This notebook already has another value in the variable debug: a str.",
    "{name} --as 2nd": "'2nd' is not a valid variable name.",
    "{name} --tusk a": "Cannot read the line:",
}


@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistake_is_one_message(notebook: Kernel, line: str) -> None:
    error = stderr_of(notebook, f"%debug_run {line.format(name=name_of(notebook, 'flow'))}")
    assert MISTAKES[line] in error
    assert error.count("\n") == 1
