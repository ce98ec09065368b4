"""The failure of a run as its tab shows it: exception, task with its inputs, cell and line, on each executor."""

from __future__ import annotations

from uuid import uuid4

import pytest
from ipykernel.compiler import murmur2_x86

from satflow_ext.models import Registered, Run, RunDetail
from satflow_ext.server.runs import _path_below
from tests.server.doubling import ended, reaches

TASK = """

import os
from prefect import flow, task

@task
def divide(number, table, api_token="Xy7-aa91-bb"):
    return number / 0
"""
FLOW = """@flow
def fails():
    divide.submit(3, [1, "a"]).result()
"""
NOTEBOOK = "import os; os.environ['JPY_SESSION_NAME'] = {path!r}"


@pytest.mark.quick
@pytest.mark.parametrize(
    ("recorded", "path"),
    [
        ("{root}/a.ipynb", "a.ipynb"),
        ("{root}/below/../a.ipynb", "a.ipynb"),
        ("{root}/..a/a.ipynb", "..a/a.ipynb"),
        ("below/a.ipynb", "below/a.ipynb"),
        ("{real}/a.ipynb", "a.ipynb"),
        ("{root}/linked.ipynb", "linked.ipynb"),
        ("{root}/../a.ipynb", None),
        ("../a.ipynb", None),
        ("/elsewhere/a.ipynb", None),
    ],
)
def test_the_path_of_a_notebook_below_the_root_folder(tmp_path, recorded, path):
    real, root = tmp_path / "real", tmp_path / "root"
    real.mkdir()
    root.symlink_to(real)
    (real / "linked.ipynb").symlink_to("/elsewhere/a.ipynb")
    assert _path_below(str(root), recorded.format(root=root, real=real)) == path


def is_complete(found: RunDetail) -> bool:
    """Return whether the log and the task runs, which arrive after the state, are there."""
    failure = found.failure
    return ended(found) and failure is not None and bool(failure.traceback) and failure.task is not None


@pytest.mark.parametrize("executor", ["threads", "processes", "dask-local"])
async def test_a_failure_names_task_inputs_cell_and_line(browser, open_kernel, jp_root_dir, executor):
    notebook = jp_root_dir / "below" / "fails.ipynb"
    notebook.parent.mkdir()
    notebook.write_text("{}")
    async with open_kernel() as kernel:
        for cell in (NOTEBOOK.format(path=str(notebook)), TASK, FLOW):
            await kernel.run(cell)
        choices = {"kernel_id": kernel.id, "variable": "fails", "executor": {"name": executor, "options": {}}}
        made = await browser.ask(Registered, "POST", "deployments", choices)
    press = {"deployment_id": made.deployment.id, "idempotency_key": uuid4().hex}
    run = await browser.ask(Run, "POST", "runs", press)
    failure = (await reaches(browser, run.id, is_complete)).failure
    assert failure.cause == "ZeroDivisionError: division by zero"
    assert failure.task.name.startswith("divide")
    values = {each.name: each.value for each in failure.task.inputs}
    assert values == {"number": "3", "table": "[1, 'a']", "api_token": "(hidden: looks like a credential)"}
    own = [frame for frame in failure.exceptions[-1].frames if frame.package is None]
    assert [(frame.function, frame.code) for frame in own] == [
        ("fails", 'divide.submit(3, [1, "a"]).result()'),
        ("divide", "return number / 0"),
    ]
    assert own[1].cell == str(murmur2_x86(TASK, 0xC70F6907))
    assert [cell.hash for cell in failure.cells] == [frame.cell for frame in own]
    assert "    return number / 0\n" in failure.traceback, "the process that ran the task had its lines"
    assert (failure.version, failure.notebook_path) == (made.deployment.version, "below/fails.ipynb")

    notebook.unlink()
    failure = (await browser.ask(RunDetail, "GET", f"runs/{run.id}")).failure
    assert (failure.notebook, failure.notebook_path) == (str(notebook), None)
