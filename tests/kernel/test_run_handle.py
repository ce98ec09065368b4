"""`satflow_ext.run`, `%run_flow` and handles of runs, in a real kernel on the local stack."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest
from nbclient import NotebookClient

if TYPE_CHECKING:
    from tests.kernel.kernel_process import Kernel
    from tests.local_stack import Stack

FLOW = """
from prefect import flow, task
import datetime as dt, time, pathlib
@task
def scale(number): return 2 * number
@flow(name="handled", log_prints=True)
def main(n: int = 1, day: dt.date | None = None, until: str = ""):
    print("n is <b>", n)
    while until and not pathlib.Path(until).exists(): time.sleep(0.1)
    if n < 0: raise ValueError("n is negative: <script>")
    return {"n": scale(n), "day": day}
"""
SCRIPT = """
import satflow_ext
run = satflow_ext.run("handled/handled", n=4)
print(str(run), run.result(), run.state, sep="|")
"""


@pytest.fixture(scope="module")
def notebook(module_kernel: Kernel, stack: Stack) -> Kernel:
    module_kernel.run("%load_ext satflow_ext\nimport satflow_ext, satflow_ext.errors")
    module_kernel.run(FLOW)
    module_kernel.run("%register_flow main")
    return module_kernel


def written(published: list[dict], name: str) -> str:
    streams = [each["content"] for each in published if each["msg_type"] == "stream"]
    return "".join(each["text"] for each in streams if each["name"] == name)


def shown(published: list[dict]) -> list[dict]:
    """The data of all displays, and of their updates."""
    kinds = ("display_data", "update_display_data")
    return [each["content"]["data"] for each in published if each["msg_type"] in kinds]


def test_a_result_comes_back(notebook: Kernel) -> None:
    notebook.run("run = satflow_ext.run('handled', n='5', day=dt.date(2026, 1, 2))")
    assert notebook.value("run.result()") == "{'n': 10, 'day': datetime.date(2026, 1, 2)}"
    assert notebook.value("run.state, run.deployment") == "('COMPLETED', 'handled/handled')"
    notebook.run("while not run.tasks: time.sleep(0.2)  # Prefect records them later")
    assert notebook.value("[task.task for task in run.tasks]") == "['scale']"
    assert "n is <b> 5" in notebook.value("str(run.logs())")
    assert notebook.value("satflow_ext.get_run('handled').id == satflow_ext.get_run(run.name).id == run.id") == "True"
    notebook.run("waited = await satflow_ext.run('handled/handled')")
    assert notebook.value("waited") == "{'n': 2, 'day': None}"


def test_shows_itself_until_it_ends(notebook: Kernel, tmp_path: Path) -> None:
    go = tmp_path / "go"
    first = shown(notebook.run(f"run = satflow_ext.run('handled', until={str(go)!r})\nrun"))
    assert "handled/handled" in first[0]["text/plain"]
    assert first[0]["text/html"].startswith("<table>")
    while not (
        running := [each for each in shown(notebook.run("time.sleep(0.3)")) if "n is <b>" in each["text/plain"]]
    ):
        pass
    assert "n is &lt;b&gt; 1" in running[-1]["text/html"]
    assert "Running" in running[-1]["text/plain"]
    go.touch()
    last = shown(notebook.run("run.wait()"))[-1]  # also shows the handle, which has ended
    assert "Completed" in last["text/plain"]
    while "1 of 1 completed" not in shown(notebook.run("run"))[-1]["text/plain"]:
        time.sleep(0.2)


def test_a_failure_is_one_message(notebook: Kernel) -> None:
    notebook.run("run = satflow_ext.run('handled', n=-1)")
    reply, _ = notebook.send("run.result()")
    assert (reply["ename"], reply["status"]) == ("RunFailed", "error")
    assert "failed: ValueError: n is negative: <script>. See run.logs()" in reply["evalue"]
    (data,) = shown(notebook.run("run"))
    assert "&lt;script&gt;" in data["text/html"]
    assert "<script>" not in data["text/html"]


def test_cancelled_and_not_ended_in_time(notebook: Kernel, tmp_path: Path) -> None:
    notebook.run(f"run = satflow_ext.run('handled', until={str(tmp_path / 'never')!r})")
    reply, _ = notebook.send("run.wait(timeout=0.1)")
    assert reply["ename"] == "TimeoutError"
    notebook.run("run.cancel().wait()")
    assert notebook.value("run.state") == "'CANCELLED'"
    reply, _ = notebook.send("run.result()")
    assert reply["ename"] == "RunFailed"
    assert "was cancelled" in reply["evalue"]


def test_the_magic_follows_the_log(notebook: Kernel) -> None:
    published = notebook.run("run = %run_flow handled n=7 --follow day=2026-01-02")
    assert written(published, "stderr") == ""
    assert "INFO     n is <b> 7\n" in written(published, "stdout")
    assert written(published, "stdout").rstrip().rpartition("\n")[2].startswith("Completed, ")
    assert notebook.value("run.result()") == "{'n': 14, 'day': datetime.date(2026, 1, 2)}"
    assert written(notebook.run("%run_flow --help"), "stdout").startswith("usage: %run_flow")


MISTAKES = {
    "('nowhere')": ("DeploymentNotFound", "No deployment is called 'nowhere'."),
    "('handled', m=1)": ("InvalidParameter", "The flow has no parameter 'm'."),
    "('handled', n='x')": ("InvalidParameter", "Parameter 'n' must be a whole number."),
    "('handled', day='soon')": ("InvalidParameter", "Parameter 'day' "),
    "('handled', n=object())": ("InvalidParameter", "Parameter 'n' is of type object, which has no JSON equivalent."),
    "('handled', n=pydantic.SecretStr('x'))": ("InvalidParameter", "Parameter 'n' is or contains a secret"),
}
LINES = {
    "nowhere": "No deployment is called 'nowhere'.",
    "handled m=1": "The flow has no parameter 'm'.",
    "handled n=x": "Parameter 'n' must be a whole number.",
    "handled n": "The parameter 'n' lacks a name or a value. Write %run_flow handled name=value.",
    "handled --folow": "Cannot read the line:",
    "handled 'n=1": "Cannot read the line: No closing quotation.",
}


@pytest.mark.parametrize("call", MISTAKES)
def test_a_mistake_starts_no_run(notebook: Kernel, call: str) -> None:
    name, message = MISTAKES[call]
    reply, _ = notebook.send(f"import pydantic\nsatflow_ext.run{call}")
    assert reply["ename"] == name
    assert reply["evalue"].startswith(message)


@pytest.mark.parametrize("line", LINES)
def test_a_mistake_in_the_line_is_one_message(notebook: Kernel, line: str) -> None:
    errors = written(notebook.run(f"%run_flow {line}"), "stderr")
    assert errors.startswith(LINES[line])
    assert errors.count("\n") == 1


def test_no_run_is_started_for_a_command_that_executes_the_notebook(notebook: Kernel) -> None:
    notebook.run("import os\nos.environ['SATFLOW_EXECUTING'] = '1'")
    errors = written(notebook.run("%run_flow handled"), "stderr")
    notebook.run("del os.environ['SATFLOW_EXECUTING']")
    assert "%%skip_registering" in errors


def test_in_a_notebook_executed_by_nbclient(notebook: Kernel, tmp_path: Path) -> None:
    """The saved output of the first cell is the run after its end, because the second cell waits for it."""
    document = nbformat.v4.new_notebook()
    cells = ["import satflow_ext\nrun = satflow_ext.run('handled', n=8)\nrun", "print(run.result())"]
    document.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(document, kernel_name="python3", timeout=300, resources=resources).execute(env=_here())
    assert "Completed" in document.cells[0].outputs[-1]["data"]["text/html"]
    assert document.cells[1].outputs[-1]["text"] == "{'n': 16, 'day': None}\n"


def test_in_plain_python(notebook: Kernel, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, env=_here(), capture_output=True, text=True, check=True
    )
    printed = done.stdout.strip().split("|")
    assert printed[0].endswith(" of handled/handled: Scheduled>")
    assert printed[1:] == ["{'n': 8, 'day': None}", "COMPLETED"]


@pytest.mark.parametrize("call", ["wait", "follow"])
def test_an_interrupt_leaves_the_run(notebook: Kernel, tmp_path: Path, call: str) -> None:
    go = tmp_path / "go"
    notebook.run(f"run = satflow_ext.run('handled', until={str(go)!r})\nwhile run.state != 'RUNNING': pass")
    request = notebook.client.execute(f"print('waiting', flush=True)\nrun.{call}()")
    errors, interrupted = "", False
    while True:
        message = notebook.client.get_iopub_msg(timeout=notebook.patience)
        content = message["content"]
        if message["parent_header"].get("msg_id") != request:
            continue
        if message["msg_type"] == "stream" and "waiting" in content["text"] and not interrupted:
            interrupted = True
            time.sleep(0.5)
            os.kill(notebook.manager.provisioner.pid, signal.SIGINT)
        if message["msg_type"] == "stream" and content["name"] == "stderr":
            errors += content["text"]
        if message["msg_type"] == "status" and content["execution_state"] == "idle":
            break
    while notebook.client.get_shell_msg(timeout=notebook.patience)["parent_header"]["msg_id"] != request:
        pass
    assert "was not cancelled and continues" in errors
    assert notebook.value("run.state") == "'RUNNING'"
    go.touch()
    assert notebook.value("run.result()['n']") == "2"


def _here() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.getcwd()}
