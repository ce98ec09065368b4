"""Notebooks executed for registering: a kernel runs, but no local stack."""

from __future__ import annotations

import asyncio
import io
import json
from itertools import islice, repeat
from pathlib import Path

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from satflow_ext.commands import notebook
from satflow_ext.commands.cell_progress import CLEAR_LINE, CellProgress, duration_text, growing_delays, steady_delays
from satflow_ext.commands.register import FlowSelection
from satflow_ext.endpoints import Endpoints, PrefectApi, Store
from satflow_ext.errors import FlowAmbiguous, NotebookFailed
from satflow_ext.kernel.hook import attach_to_shell
from satflow_ext.models import PackedFlow, Registration, WrittenRegistration

TWO = "from prefect import flow\n@flow(name='etl')\ndef one(): pass\n\n@flow(name='etl')\ndef two(): pass"


def written(folder: Path, *cells: str | nbformat.NotebookNode) -> Path:
    """Write a notebook of a Markdown cell and code cells."""
    path = folder / "flows.ipynb"
    code = [cell if isinstance(cell, dict) else nbformat.v4.new_code_cell(cell) for cell in cells]
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("Text"), *code]), path)
    return path


def chosen(path: Path, *choices: tuple[str, Registration]) -> list[tuple[str, str]]:
    """Execute a notebook; return the variable and the deployment's name of each flow chosen from it."""

    async def execute() -> list[tuple[str, str]]:
        async with notebook.execute_notebook(path, kernel=None, cell_timeout=None) as executed:
            flows = await FlowSelection(path, choices or (("", Registration()),)).find_flows(executed)
            return [(flow.variable, choice.name or flow.name) for flow, choice in flows]

    return asyncio.run(execute())


@pytest.mark.stack
def test_a_cell_with_the_tag_is_a_setup_cell(tmp_path: Path) -> None:
    cell = nbformat.v4.new_code_cell("lock = __import__('threading').Lock()", metadata={"tags": ["flow-setup"]})
    path = written(tmp_path, cell, "from prefect import flow\n@flow\ndef main(): return lock")

    async def pack() -> PackedFlow:
        async with notebook.execute_notebook(path, kernel=None, cell_timeout=None) as executed:
            (flow,) = await executed.find_flows([])
            return await executed.pack(flow, WrittenRegistration(), tmp_path)

    (setup,) = [cell for cell in asyncio.run(pack()).source.cells if cell.setup]
    assert setup.text.strip() == cell.source.strip()


@pytest.mark.stack
@pytest.mark.parametrize(
    ("cells", "choices", "both"),
    [
        ([TWO], [], "etl/etl: one (cell 2) and two (cell 2)"),
        ([TWO], [("one", Registration()), ("two", Registration())], "etl/etl: one (cell 2) and two (cell 2)"),
        (["x = 1", TWO, "two = two.with_options(retries=1)"], [], "etl/etl: one (cell 3) and two (cell 3)"),
        ([TWO], [("", Registration(name="daily"))], "etl/daily: one (cell 2) and two (cell 2)"),
        (
            ["from prefect import flow\n@flow\ndef main(): pass\nold = main", "@flow\ndef main(): pass"],
            [],
            "main/main: ",
        ),
    ],
)
def test_two_flows_that_become_one_deployment_are_refused(tmp_path, cells, choices, both):
    with pytest.raises(FlowAmbiguous) as refused:
        chosen(written(tmp_path, *cells), *choices)
    assert f"would become the same deployment {both}" in str(refused.value)


@pytest.mark.stack
@pytest.mark.parametrize(
    ("cells", "choices", "expected"),
    [
        (
            ["from prefect import flow\n@flow\ndef main(): pass", "alias = main\nbackup = [main]"],
            [],
            [("main", "main")],
        ),
        ([TWO], [("two", Registration())], [("two", "etl")]),
        ([TWO], [("one", Registration(name="a")), ("two", Registration(name="b"))], [("one", "a"), ("two", "b")]),
        ([TWO.replace("name='etl'", "name='two'", 1)], [("two", Registration())], [("two", "etl")]),
    ],
)
def test_flows_with_deployments_of_their_own_are_chosen(tmp_path, cells, choices, expected):
    assert chosen(written(tmp_path, *cells), *choices) == expected


TELLS = """import json, os, pathlib
from prefect.settings import get_current_settings
from satflow_ext.settings import load_settings
api = get_current_settings().api
names = "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE", "DO_NOT_TRACK", "PREFECT_SERVER_ANALYTICS_ENABLED"
found = [api.url, api.auth_string.get_secret_value() if api.auth_string else "", load_settings().prefect_api_url]
pathlib.Path("found.json").write_text(json.dumps([*found, *map(os.environ.get, names)]))
"""
URL = "http://127.0.0.1:4299/api"


@pytest.mark.stack
@pytest.mark.parametrize(
    ("api", "local", "configured"), [(PrefectApi(URL, auth_string="a:b"), True, None), (PrefectApi(URL), False, URL)]
)
def test_kernel_uses_the_prefect_of_the_registration(tmp_path, monkeypatch, api, local, configured):
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", "another:server")
    path = written(tmp_path, TELLS)

    async def execute() -> None:
        endpoints = Endpoints(api, Store("local", "http://127.0.0.1:1/{digest}"), None, local)
        async with notebook.execute_notebook(path, kernel=None, cell_timeout=None, endpoints=endpoints):
            pass

    asyncio.run(execute())
    found = json.loads((tmp_path / "found.json").read_text())
    assert found == [URL, api.auth_string or "", configured, "false", "1", "false"]


@pytest.mark.stack
def test_prefect_decides_where_no_api_answers(tmp_path, monkeypatch):
    monkeypatch.delenv("PREFECT_SERVER_ALLOW_EPHEMERAL_MODE")
    path = written(tmp_path, TELLS, "from prefect import flow\n@flow\ndef main(): pass")
    assert chosen(path) == [("main", "main")]
    assert json.loads((tmp_path / "found.json").read_text())[3:] == [None, "1", "false"]


@pytest.mark.stack
@pytest.mark.parametrize(
    "cell",
    [
        nbformat.v4.new_code_cell("1 / 0", metadata={"tags": ["skip-registering"]}),
        "%%skip_registering\n1 / 0",
        "\n%%skip_registering tries the flow\n1 / 0",
    ],
)
def test_cells_are_left_out(tmp_path, cell):
    path = written(tmp_path, "x = 1", cell)

    async def execute() -> int:
        async with notebook.execute_notebook(path, kernel=None, cell_timeout=None) as executed:
            return executed.skipped_count

    assert asyncio.run(execute()) == 1


class Watcher(io.StringIO):
    """Takes what is written, and makes a file when a text is in it for the second time."""

    def __init__(self, text: str, file: Path, *, terminal: bool) -> None:
        super().__init__()
        self._text, self._file, self._terminal = text, file, terminal

    def isatty(self) -> bool:
        return self._terminal

    def flush(self) -> None:
        if self.getvalue().count(self._text) > 1:
            self._file.touch()


@pytest.mark.stack
@pytest.mark.parametrize("terminal", [False, True])
def test_a_cell_that_runs_for_long_is_reported_until_it_ends(tmp_path, terminal):
    ended = tmp_path / "ended"
    waits = f"import pathlib, time\nwhile not pathlib.Path({str(ended)!r}).exists(): time.sleep(0.01)"
    path = written(tmp_path, waits, "x = 1")
    line = f"… Cell 2 of {path} has been running for "
    stream = Watcher(line, ended, terminal=terminal)

    async def execute() -> None:
        reports = CellProgress(stream, lambda: repeat(0.05))
        async with notebook.execute_notebook(path, kernel=None, cell_timeout=None, progress=reports):
            stream.write("executed\n")

    asyncio.run(execute())
    reports = [
        each for each in stream.getvalue().replace(CLEAR_LINE, "\n" if terminal else "").split("\n") if line in each
    ]
    assert len(reports) > 1, "the cell ends only when it was reported twice"
    assert all(each.endswith(" s") for each in reports)
    assert (CLEAR_LINE in stream.getvalue()) == terminal
    before = stream.getvalue().partition("executed\n")[0]
    assert before.rpartition(line)[2].endswith(CLEAR_LINE if terminal else "\n"), "nothing is left on a terminal's line"


def test_reports_come_less_and_less_often_in_a_log_and_every_second_on_a_terminal():
    assert list(islice(growing_delays(), 9)) == [10, 20, 40, 80, 160, 320, 600, 600, 600]
    assert list(islice(steady_delays(), 3)) == [10, 1, 1]
    assert [duration_text(each) for each in (12.9, 60, 3725)] == ["12 s", "1 min 0 s", "1 h 2 min"]


def test_cell_left_out_of_registering_runs_in_a_notebook():
    shell = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
    attach_to_shell(shell)
    attach_to_shell(shell)
    result = shell.run_cell("%%skip_registering\nx = 3\nx")
    assert (result.result, shell.user_ns["x"]) == (3, 3)
    assert shell.run_cell("1\n2").result == 2


@pytest.mark.stack
def test_cells_with_magics_shell_commands_and_await_are_executed(tmp_path):
    cells = [
        "%%bash\necho hello",
        "%%time\nx = sum(range(10))",
        "!echo hi\nout = !echo captured",
        "%env BUGS=1\nimport asyncio\nawait asyncio.sleep(0.01)",
        "%%capture\nprint('hidden')",
        "%%html\n<b>x</b>",
        f"%%writefile {tmp_path / 'written.py'}\nY = 1",
        "import os, written\nfrom prefect import flow",
        "assert (x, out, written.Y, os.environ['BUGS']) == (45, ['captured'], 1, '1')",
        "%%time\n@flow\ndef main(): return x, out",
    ]
    assert chosen(written(tmp_path, *cells)) == [("main", "main")]


@pytest.mark.stack
def test_magic_that_needs_a_package_names_cell_and_package(tmp_path):
    with pytest.raises(NotebookFailed) as failed:
        chosen(written(tmp_path, "%load_ext absent_package"))
    assert str(failed.value).startswith("Cell 2 of ")
    assert "No module named 'absent_package'" in str(failed.value)


@pytest.mark.stack
@pytest.mark.parametrize(
    ("cell", "advice"),
    [
        ("input('who? ')", "assign the value"),
        ("import getpass\ngetpass.getpass()", "assign the value"),
        ("import sys\nsys.exit(0)", "Remove the exit"),
        ("from pathlib import Path\nPath(__file__)", "write Path.cwd()"),
        (
            "import asyncio\nasync def f(): pass\nc = f()\ntry: asyncio.run(c)\nfinally: c.close()",
            "write await instead",
        ),
    ],
)
def test_error_of_a_cell_says_what_to_do(tmp_path, cell, advice):
    with pytest.raises(NotebookFailed) as failed:
        chosen(written(tmp_path, cell))
    assert str(failed.value).startswith("Cell 2 of ")
    assert advice in str(failed.value)
