"""Setup cells: which cells count, and that what they define is found by name where the flow is loaded."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from satflow_ext.errors import CannotPickle

if TYPE_CHECKING:
    from pathlib import Path

    from tests.kernel.kernel_process import Kernel

FLOW = "from prefect import flow\n@flow\ndef main(): return {}"
LOAD = """
import json, os, pickle, sys, traceback
import prefect.flows
for body in sys.argv[1:]:
    if os.fork() == 0:
        try:
            said = json.dumps(pickle.load(open(body, "rb")).fn())
        except Exception:
            said = json.dumps(traceback.format_exc())
        print(said, flush=True)
        os._exit(0)
    os.wait()
"""
"""Prints what each flow returns; a child for each, in whose `__main__` its setup cells run."""


@pytest.fixture
def notebook(module_kernel: Kernel) -> Iterator[Kernel]:
    module_kernel.run("%load_ext satflow_ext")
    yield module_kernel
    clear(module_kernel)


def packed(notebook: Kernel, expression: str) -> dict:
    notebook.run(FLOW.format(expression))
    return notebook.pack("main")


def loaded(folder: Path, *packed: dict) -> list[object]:
    command = [sys.executable, "-c", LOAD, *(each["body"] for each in packed)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def clear(notebook: Kernel) -> None:
    notebook.run("%reset -f\nfrom satflow_ext.kernel.setup_cell_recorder import recorder_of")
    notebook.run("recorder_of(get_ipython())._recorded.clear()")


def setup_texts(packed: dict) -> list[str]:
    return [cell["text"].strip() for cell in packed["source"]["cells"] if cell["setup"]]


def execute(notebook: Kernel, code: str, **metadata: object) -> None:
    """Execute a cell as JupyterLab does, with what it says of the cell."""
    client = notebook.client
    content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
    content["stop_on_error"] = False
    message = client.session.msg("execute_request", content, metadata=metadata)
    client.shell_channel.send(message)
    while client.get_shell_msg(timeout=60)["parent_header"]["msg_id"] != message["header"]["msg_id"]:
        pass


TRAVELLING = {
    "class": ("class Point: pass", "same = Point", "[same is Point, Point.__module__]", [True, "__main__"]),
    "instance of it": ("class Point: x = 1", "p = Point()", "[type(p) is Point, p.x]", [True, 1]),
    "subclass of it": ("class Point: x = 1", "class Sub(Point): pass", "[issubclass(Sub, Point), Sub().x]", [True, 1]),
    "lock": ("import threading\nlock = threading.Lock()", "held = [lock]", "held[0] is lock", True),
    "generator": ("numbers = iter([1, 2, 3])", "", "next(numbers)", 1),
    "value of this process": ("import os\npid = os.getpid()", "", "pid == __import__('os').getpid()", True),
    "list": ("found = []", "found.append(1)", "found", []),
    "function": ("def double(x): return 2 * x", "same = double", "[same is double, double(2)]", [True, 4]),
    "recursive function": ("def down(n): return n and down(n - 1)", "", "down(3)", 0),
    "partial": ("import functools\nadd = functools.partial(pow, 2)", "", "add(3)", 8),
    "bound again later": ("size = 1\nclass Point: x = 1", "size = 5\nclass Point: x = 2", "[size, Point.x]", [5, 2]),
    "imported": ("import math\nfrom math import pi", "", "[math.floor(pi)]", [3]),
    "side effect": ("import os\nos.environ['SETUP'] = 'yes'", "", "__import__('os').environ['SETUP']", "yes"),
    "closure": (
        "class Point: x = 1",
        "def make(cls):\n    def get(): return cls\n    return get\nget = make(Point)",
        "get() is Point",
        True,
    ),
    "in a class": ("class Point: x = 1", "class Holder: kind = Point", "Holder.kind is Point", True),
    "model": (
        "from pydantic import BaseModel\nclass A(BaseModel): n: int",
        "class B(BaseModel): a: A",
        "[B.model_validate({'a': {'n': 1}}).a.n, B.model_fields['a'].annotation is A]",
        [1, True],
    ),
    "task": (
        "from prefect import task\n@task\ndef one(): return 1",
        "same = one",
        "[same is one, one.fn()]",
        [True, 1],
    ),
    "default": ("class Point: x = 1", "def get(p=Point): return p", "get() is Point", True),
}


def test_is_found_by_name(notebook: Kernel, tmp_path: Path) -> None:
    found = []
    for setup, cell, expression, _ in TRAVELLING.values():
        clear(notebook)
        notebook.run(f"%%flow_setup\n{setup}")
        notebook.run(cell)
        found.append(packed(notebook, expression))
        assert setup_texts(found[-1]) == [setup]
    values = dict(zip(TRAVELLING, loaded(tmp_path, *found), strict=True))
    assert values == {name: value for name, (*_, value) in TRAVELLING.items()}


def test_the_flow_itself(notebook: Kernel, tmp_path: Path) -> None:
    notebook.run(f"%%flow_setup\n{FLOW.format(3)}")
    assert loaded(tmp_path, notebook.pack("main")) == [3]


def test_a_local_module_that_only_a_setup_cell_imports(notebook: Kernel, tmp_path: Path) -> None:
    notebook.run("%%writefile only_setup.py\nVALUE = 7")
    notebook.run("%%flow_setup\nimport only_setup\nvalue = only_setup.VALUE")
    assert loaded(tmp_path, packed(notebook, "value")) == [7]


def test_installed_packages_of_a_setup_cell_count(notebook: Kernel) -> None:
    notebook.run("%%flow_setup\nimport pandas as pd\npd.set_option('display.width', 100)")
    assert "pandas" in packed(notebook, 1)["uses"]


def test_in_the_order_of_execution_and_once(notebook: Kernel, tmp_path: Path) -> None:
    notebook.run("%%flow_setup\nsteps = []")
    notebook.run("%%flow_setup\nsteps.append('a')")
    notebook.run("%%flow_setup\nsteps.append('b')")
    notebook.run("%%flow_setup\nsteps.append('a')")
    found = packed(notebook, "steps")
    assert setup_texts(found) == ["steps = []", "steps.append('b')", "steps.append('a')"]
    assert loaded(tmp_path, found) == [["b", "a"]]


def test_a_tag_marks_one_too(notebook: Kernel, tmp_path: Path) -> None:
    execute(notebook, "value = [1]", cellId="1", tags=["flow-setup"])
    found = packed(notebook, "value")
    assert setup_texts(found) == ["value = [1]"]
    assert loaded(tmp_path, found) == [[1]]


def test_the_last_text_of_a_cell_counts(notebook: Kernel) -> None:
    for text in ("value = [1]", "value = [2]"):
        execute(notebook, text, cellId="1", tags=["flow-setup"])
    assert setup_texts(packed(notebook, "value")) == ["value = [2]"]
    execute(notebook, "value = [3]", cellId="1")
    assert setup_texts(packed(notebook, "value")) == []


@pytest.mark.parametrize("gone", ["deleted", "cleared", "failed"])
def test_is_forgotten(notebook: Kernel, gone: str) -> None:
    execute(notebook, "value = [1]", cellId="1", tags=["flow-setup"])
    if gone == "deleted":
        execute(notebook, "other = 1", cellId="2", deletedCells=["1"])
    elif gone == "cleared":
        notebook.run("%reset -f")
    else:
        execute(notebook, "value = [1]; 1 / 0", cellId="1", tags=["flow-setup"])
    assert setup_texts(packed(notebook, 1)) == []


def test_is_part_of_the_fingerprint(notebook: Kernel) -> None:
    fingerprints = []
    for text in ("value = [1]", "value = [2]", "value = [1]"):
        execute(notebook, text, cellId="1", tags=["flow-setup"])
        found = packed(notebook, "value")
        fingerprints.append((found["exact"], found["flow"]["fingerprint"]))
    assert fingerprints[0] == fingerprints[2]
    assert fingerprints[0][0] != fingerprints[1][0]
    assert fingerprints[0][1] != fingerprints[1][1]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("%config InlineBackend.rc = {}", "has a magic or a ! command"),
        ("files = !ls", "has a magic or a ! command"),
        ("import asyncio\nawait asyncio.sleep(0)", "awaits outside a function"),
    ],
)
def test_what_no_flow_run_can_do_is_refused(notebook: Kernel, text: str, problem: str) -> None:
    notebook.run(f"%%flow_setup\n{text}")
    with pytest.raises(CannotPickle, match=problem):
        packed(notebook, 1)


def test_a_credential_in_it_is_reported(kernel: Kernel) -> None:
    kernel.run("%load_ext satflow_ext")  # a kernel of its own: cells of other tests change the environment
    kernel.run("%%flow_setup\nimport os\nos.environ['K'] = 'ghp_" + "a1B2" * 9 + "'")
    (finding,) = packed(kernel, 1)["warnings"]
    assert (finding["kind"], finding["where"].partition(" ->")[0]) == ("credential", "setup cell")


def test_the_error_of_a_setup_cell_says_its_line(notebook: Kernel, tmp_path: Path) -> None:
    notebook.run("import os; os.environ['ONLY_HERE'] = '1'")
    notebook.run("%%flow_setup\nimport os\nvalue = os.environ['ONLY_HERE']")
    notebook.run("del os.environ['ONLY_HERE']")
    (error,) = loaded(tmp_path, packed(notebook, "value"))
    assert "KeyError: 'ONLY_HERE'" in str(error)
    assert "value = os.environ['ONLY_HERE']" in str(error)
