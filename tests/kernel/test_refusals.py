"""Each thing that cannot be packed is refused in words that say what to do, and leaves no file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from satflow_ext.errors import (
    CannotPickle,
    ContentTooLarge,
    FlowAmbiguous,
    FlowNotFound,
    InvalidParameter,
    KernelUnavailable,
)

if TYPE_CHECKING:
    from tests.kernel.kernel_process import Kernel

CREATE = "Create it inside the flow, a task or a setup cell (%%flow_setup) instead of using a global one."

UNPICKLABLE = {
    "a connection": (
        "import sqlite3\nconnection = sqlite3.connect(':memory:')\n@flow\ndef main(): connection.execute('select 1')",
        "Flow 'main' cannot be pickled: main -> connection (sqlite3.Connection): "
        "cannot pickle 'sqlite3.Connection' object.",
    ),
    "a lock deep inside": (
        "import threading\nclass Client:\n    def __init__(self): self.pool = {'lock': [threading.Lock()]}\n"
        "client = Client()\n@task\ndef work(): return client\n@flow\ndef main(): work()",
        "Flow 'main' cannot be pickled: main -> work -> client.pool['lock'][0] (_thread.lock): "
        "cannot pickle '_thread.lock' object.",
    ),
    "a generator": (
        "numbers = (i for i in range(3))\n@flow\ndef main(): return next(numbers)",
        "Flow 'main' cannot be pickled: main -> numbers (generator): cannot pickle 'generator' object.",
    ),
    "its own refusal": (
        "class Secret:\n    def __reduce_ex__(self, protocol): raise RuntimeError('I stay here')\n"
        "secret = Secret()\n@flow\ndef main(): return secret",
        "Flow 'main' cannot be pickled: main -> secret (__main__.Secret): I stay here.",
    ),
    "only a name": (
        "class Name:\n    def __reduce__(self): return 'there'\nthere = Name()\n@flow\ndef main(): return there",
        "Flow 'main' cannot be pickled: main -> there (__main__.Name): it is pickled only by its name, __main__.there, "
        "which no other process has.",
    ),
    "the kernel's shell": (
        "shell = get_ipython()\n@flow\ndef main(): return shell.user_ns",
        "Flow 'main' cannot be pickled: main -> shell",
    ),
}


@pytest.fixture(scope="module")
def notebook(module_kernel: Kernel) -> Kernel:
    module_kernel.run("from prefect import flow, task")
    return module_kernel


@pytest.mark.parametrize("name", UNPICKLABLE)
def test_names_what_cannot_be_pickled(name: str, notebook: Kernel) -> None:
    cell, message = UNPICKLABLE[name]
    notebook.run(cell)
    with pytest.raises(CannotPickle) as refused:
        notebook.pack("main")
    assert refused.value.message.startswith(message)
    assert refused.value.fix == CREATE
    assert list((notebook.home / "packed").iterdir()) == []


ELSEWHERE = {
    "a shell command": (
        "@task\ndef listed():\n    found = !ls\n    return found\n@flow\ndef main(): return listed()",
        "Flow 'main' cannot be packed: main -> listed -> get_ipython is the notebook's IPython shell, "
        "which a magic or a ! command in a function requires.",
        "Write it as Python, such as subprocess.run, or move the line out of the function.",
    ),
    "arguments of a class": (
        "class Base:\n    def __init_subclass__(cls, key): cls.key = key\nclass Thing(Base, key=1): pass\n"
        "@flow\ndef main(): return Thing.key",
        "Flow 'main' cannot be pickled: main -> Thing (type): Base.__init_subclass__ needs key, which is lost when the "
        "class is pickled.",
        "Give the arguments of __init_subclass__ defaults.",
    ),
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_says_what_would_not_work_where_the_flow_runs(name: str, notebook: Kernel) -> None:
    cell, message, fix = ELSEWHERE[name]
    notebook.run(cell)
    with pytest.raises(CannotPickle) as refused:
        notebook.pack("main")
    assert (refused.value.message, refused.value.fix) == (message, fix)


def test_lists_the_largest_when_too_large(notebook: Kernel) -> None:
    notebook.run("import os, numpy as np\nos.environ['SATFLOW_CONTENT_LIMIT'] = str(2 * 1024**2)")
    notebook.run("big = np.zeros(400_000)\ntext = 'x' * 1024**2\nsmall = 1")
    notebook.run("@task\ndef work(): return big, small\n@flow\ndef main(): return work(), text")
    with pytest.raises(ContentTooLarge) as refused:
        notebook.pack("main")
    notebook.run("del os.environ['SATFLOW_CONTENT_LIMIT']")
    assert refused.value.message.startswith(
        "Flow 'main' and its captured objects are larger than 2.0 MiB. The largest: main -> work -> big (3.1 MiB), main"
    )
    assert "1.0 MiB" in refused.value.message
    assert refused.value.fix == "Load large data inside the flow, or raise `content_limit` in the settings."
    assert list((notebook.home / "packed").iterdir()) == []


def test_says_which_flow_was_probably_meant(notebook: Kernel) -> None:
    notebook.run("@flow(name='daily report')\ndef report(): pass\ntable = [1]")
    with pytest.raises(FlowNotFound, match=r"This notebook has no flow called 'reprot'. Did you mean report"):
        notebook.pack("reprot")
    with pytest.raises(
        FlowNotFound, match=r"'table' is a list, not a flow. Put @flow above the function and run its cell."
    ):
        notebook.pack("table")
    assert notebook.pack("daily report")["flow"]["variable"] == "report"


def test_two_flows_with_one_name(notebook: Kernel) -> None:
    notebook.run("@flow(name='twin')\ndef first(): pass\n@flow(name='twin')\ndef second(): pass")
    with pytest.raises(FlowAmbiguous) as refused:
        notebook.pack("twin")
    assert str(refused.value) == "2 flows are called 'twin'. Use the variable of one of them: first, second."
    assert notebook.pack("second")["flow"]["variable"] == "second"


def test_a_parameter_for_the_rest_goes_inside_it(notebook: Kernel) -> None:
    notebook.run("@flow\ndef open_ended(n=1, **rest): pass")
    assert notebook.pack("open_ended", {"rest": {"colour": "red"}})
    with pytest.raises(InvalidParameter) as refused:
        notebook.pack("open_ended", {"colour": "red"})
    assert str(refused.value) == "Flow 'open-ended' has no parameter 'colour'. Pass it inside 'rest', as {'colour': …}."


PARAMETERS = [
    (
        {"count": "many"},
        "Parameter 'count' of flow 'typed' does not fit its type int: it must be a whole number. Give a value of "
        "type int.",
        "parameters.count",
    ),
    (
        {"count": 1, "colour": "red"},
        "Flow 'typed' has no parameter 'colour'. It has: count, window.",
        "parameters.colour",
    ),
    (
        {"count": 1, "window": {"start": "soon"}},
        "Parameter 'window' of flow 'typed' does not fit its type Window: window.start must be a date such as "
        "2025-08-27. Give a value of type Window.",
        "parameters.window.start",
    ),
    (
        {},
        "Flow 'typed' needs a value for 'count' when it runs on a schedule. Set the value for this deployment, or add a "
        "default to the signature.",
        "parameters.count",
    ),
]


@pytest.mark.parametrize(("given", "message", "field"), PARAMETERS, ids=["type", "unknown", "inside", "missing"])
def test_parameters_are_checked(given: dict, message: str, field: str, notebook: Kernel) -> None:
    notebook.run(
        "import datetime\nfrom pydantic import BaseModel\nclass Window(BaseModel):\n    start: datetime.date\n"
        "@flow\ndef typed(count: int, window: Window = None): pass"
    )
    with pytest.raises(InvalidParameter) as refused:
        notebook.pack("typed", given, has_schedule=True)
    assert str(refused.value).startswith(message)
    assert refused.value.field == field


def test_what_is_missing_may_come_with_the_run(notebook: Kernel) -> None:
    notebook.run("@flow\ndef later(count: int): pass")
    assert notebook.pack("later")["flow"]["name"] == "later"


def test_parameters_are_data_never_code(notebook: Kernel) -> None:
    notebook.run("@flow\ndef spoken(text: str): pass")
    nasty = "\"); import os; os.abort() #'\n\\ \U0001f600 {x} $y"
    assert notebook.pack("spoken", {"text": nasty})["flow"]["name"] == "spoken"
    with pytest.raises(FlowNotFound, match=r"This notebook has no flow called"):
        notebook.pack(nasty)


def test_an_interrupt_leaves_no_file(notebook: Kernel) -> None:
    notebook.run(
        "class Stop:\n    def __init__(self): self.times = 0\n    def __getstate__(self):\n        import traceback\n"
        "        if any('dump' == f.name for f in traceback.extract_stack()): raise KeyboardInterrupt\n"
        "        return {}\nstop = Stop()\n@flow\ndef main(): return stop"
    )
    with pytest.raises(KernelUnavailable, match=r"The kernel was interrupted before it answered. Try again."):
        notebook.pack("main")
    assert [path.name for path in (notebook.home / "packed").iterdir() if path.stat().st_size == 0] == []
